//! The engine as its callers see it: prepare a program, run it by its handle, drop it. Everything a guest does happens on the
//! pool's threads; see `script.rs`, `command.rs` and `component.rs` for the kinds.
use crate::command::{self, command_linker};
use crate::component;
use crate::ending::Ending;
use crate::engine::{ABI_VERSION, PoolSize, WASMTIME_VERSION, sandbox_engine};
use crate::limits::{RunLimits, RunRequest};
use crate::outcome::{Prepared, Refusal, RunOutcome, Status};
use crate::pool::{Pool, PoolLimits, PoolStats};
use crate::program::{Program, ProgramKind};
use crate::reply::{EngineFailure, Reply};
use crate::script;
use crate::script_image::ScriptImage;
use crate::store::{GuestState, fuel_used};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;
use wasmtime::{Engine, Error, Linker, Result, Store};

pub struct SandboxOptions {
    /// The script engine's module: `quickjs.wasm` of npm `quickjs-wasi`.
    pub script_module: Vec<u8>,
    pub prelude: String,
    pub pool_size: PoolSize,
    pub pool_limits: PoolLimits,
}

pub struct Sandbox {
    kernel: Arc<Kernel>,
    pool: Pool,
    slots: u32,
}

/// What the pool's threads share.
pub struct Kernel {
    engine: Engine,
    image: ScriptImage,
    commands: Linker<GuestState>,
    programs: RwLock<HashMap<u32, Arc<Program>>>,
    handles: AtomicU32,
    version: String,
}

/// Why nothing was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    Busy,
    UnknownProgram { handle: u32 },
    InputTooLarge { bytes: usize, allowed: usize },
}

#[derive(Clone, Copy, Debug, Default)]
pub struct SandboxStats {
    pub pool: PoolStats,
    pub slots: u32,
    pub programs: usize,
    pub program_bytes: usize,
}

impl Sandbox {
    pub fn new(options: SandboxOptions) -> Result<Self> {
        let kernel = Arc::new(Kernel::new(&options)?);
        let pool = Pool::start(options.pool_limits).map_err(|error| Error::msg(format!("could not start a thread: {error}")))?;
        Ok(Self { kernel, pool, slots: options.pool_size.slots })
    }

    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    pub fn prepare(
        &self,
        kind: ProgramKind,
        code: Vec<u8>,
        limits: RunLimits,
        reply: Reply<Result<Prepared, Refusal>>,
    ) -> Result<(), Rejection> {
        let kernel = Arc::clone(&self.kernel);
        let job = async move || reply.send(kernel.prepare(kind, code, limits).await);
        self.pool.submit(job).map_err(|_| Rejection::Busy)
    }

    pub fn run(&self, handle: u32, request: RunRequest, reply: Reply<RunOutcome>) -> Result<(), Rejection> {
        let program = self.kernel.program(handle)?;
        check_input(&request)?;
        let kernel = Arc::clone(&self.kernel);
        let job = async move || reply.send(kernel.run(&program, request).await);
        self.pool.submit(job).map_err(|_| Rejection::Busy)
    }

    pub fn drop_program(&self, handle: u32) {
        self.kernel.programs.write().unwrap_or_else(PoisonError::into_inner).remove(&handle);
    }

    pub fn stats(&self) -> SandboxStats {
        let programs = self.kernel.programs.read().unwrap_or_else(PoisonError::into_inner);
        SandboxStats {
            pool: self.pool.stats(),
            slots: self.slots,
            programs: programs.len(),
            program_bytes: programs.values().map(|program| program.bytes()).sum(),
        }
    }

    pub fn close(&self) {
        self.pool.close();
    }
}

fn check_input(request: &RunRequest) -> Result<(), Rejection> {
    let (bytes, allowed) = (request.input.len(), request.limits.input_bytes);
    if bytes > allowed { Err(Rejection::InputTooLarge { bytes, allowed }) } else { Ok(()) }
}

impl Kernel {
    fn new(options: &SandboxOptions) -> Result<Self> {
        let engine = sandbox_engine(&options.pool_size)?;
        let image = ScriptImage::boot(&engine, &options.script_module, &options.prelude)?;
        let commands = command_linker(&engine)?;
        let script = Sha256::new().chain_update(&options.script_module).chain_update(&options.prelude).finalize();
        let script: String = script.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        let version = format!("wasmtime-{WASMTIME_VERSION}+script-{script}+abi-{ABI_VERSION}");
        Ok(Self { engine, image, commands, programs: RwLock::default(), handles: AtomicU32::new(1), version })
    }

    /// Part of every receipt: the same version gives the same bytes and the same fuel.
    pub fn version(&self) -> &str {
        &self.version
    }

    pub fn program(&self, handle: u32) -> Result<Arc<Program>, Rejection> {
        let programs = self.programs.read().unwrap_or_else(PoisonError::into_inner);
        programs.get(&handle).cloned().ok_or(Rejection::UnknownProgram { handle })
    }

    pub async fn prepare(
        &self,
        kind: ProgramKind,
        code: Vec<u8>,
        limits: RunLimits,
    ) -> Result<Result<Prepared, Refusal>, EngineFailure> {
        let began = Instant::now();
        let made = match kind {
            ProgramKind::Script => self.prepare_script(code, limits).await.map_err(failure)?,
            ProgramKind::Command => command::prepare(&self.commands, &code).map(Program::Command),
            ProgramKind::Component => component::prepare(&self.engine, &code).map(Program::Component),
        };
        Ok(made.map(|program| self.keep(program, began)))
    }

    async fn prepare_script(&self, code: Vec<u8>, limits: RunLimits) -> Result<Result<Program, Refusal>> {
        match String::from_utf8(code) {
            Ok(source) => Ok(script::prepare(&self.engine, &self.image, source, limits).await?.map(Program::Script)),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                Ok(Err(Refusal::InvalidProgram(format!("the source is not UTF-8: see byte {at}"))))
            }
        }
    }

    fn keep(&self, program: Program, began: Instant) -> Prepared {
        let handle = self.handles.fetch_add(1, Ordering::Relaxed);
        let (snapshot_pages, snapshot_bytes, memory_bytes) = match &program {
            Program::Script(snapshot) => (snapshot.pages(), snapshot.bytes(), snapshot.memory_bytes() as u64),
            Program::Command(command) => (0, 0, command.memory_bytes),
            Program::Component(component) => (0, 0, component.memory_bytes),
        };
        self.programs.write().unwrap_or_else(PoisonError::into_inner).insert(handle, Arc::new(program));
        let prepare_micros = began.elapsed().as_micros() as u64;
        Prepared { handle, snapshot_pages, snapshot_bytes, memory_bytes, prepare_micros }
    }

    /// One run in an instance of its own.
    pub async fn run(&self, program: &Program, request: RunRequest) -> Result<RunOutcome, EngineFailure> {
        let claimed = Instant::now();
        let fuel = request.limits.fuel;
        let run = match program {
            Program::Script(snapshot) => script::run(&self.engine, &self.image, snapshot, request).await,
            Program::Command(command) => command::run(&self.engine, command, request).await,
            Program::Component(component) => component::run(&self.engine, component, request).await,
        };
        let (ending, store, started) = run.map_err(failure)?;
        Ok(outcome(ending, store, Times { claimed, started }, fuel))
    }
}

struct Times {
    claimed: Instant,
    started: Instant,
}

fn outcome(ending: Ending, store: Store<GuestState>, times: Times, fuel: u64) -> RunOutcome {
    let used = fuel_used(&store);
    // However it ended after that, it ended on fuel that it did not have.
    let ending = if used.is_none() { Ending::out_of_fuel() } else { ending };
    let state = store.into_data();
    let (status, error, output) = match ending {
        Ending::Returned => (Status::Completed, None, Some(state.output)),
        Ending::Ended(status, error) => (status, Some(error), None),
    };
    RunOutcome {
        status,
        output: output.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        error,
        stdout: state.stdout,
        stderr: state.stderr,
        logs_truncated: state.logs_truncated,
        artifacts: state.artifacts,
        fuel: used.unwrap_or(fuel),
        wall_micros: times.claimed.elapsed().as_micros() as u64,
        start_micros: times.started.duration_since(times.claimed).as_nanos() as f64 / 1e3,
        memory_bytes_peak: state.memory_bytes_peak,
    }
}

fn failure(error: Error) -> EngineFailure {
    EngineFailure(format!("{error:#}"))
}
