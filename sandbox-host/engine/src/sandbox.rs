//! The engine as its callers see it: prepare a program, run it by its handle, drop it. Everything a guest does happens on the
//! pool's threads; see `kernel.rs`, and `script.rs`, `command.rs` and `component.rs` for the kinds.
use crate::bench::{PoolTimings, bench_pool};
use crate::cancel::{CancelFlag, unless_cancelled};
use crate::engine::PoolSize;
use crate::kernel::Kernel;
use crate::limits::{RunLimits, RunRequest};
use crate::outcome::{Prepared, Refusal, RunOutcome};
use crate::pool::{Pool, PoolLimits, PoolStats};
use crate::program::ProgramKind;
use crate::reply::{EngineFailure, Reply};
use crate::warm::{WarmLimits, WarmStats};
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use wasmtime::{Error, Result};

/// How often the keeper of the warm pool looks for what is too old.
const KEEPER_INTERVAL: Duration = Duration::from_millis(500);

pub struct SandboxOptions {
    /// The script engine's module: `script-module/quickjs.wasm`.
    pub script_module: Vec<u8>,
    pub prelude: String,
    /// What `Kernel::script_image` gave to a process of the same build; without it, booting takes a second.
    pub script_image: Option<Vec<u8>>,
    pub pool_size: PoolSize,
    pub pool_limits: PoolLimits,
    /// Its slots come on top of `pool_limits.active_max`; `pool_size` holds both.
    pub warm_limits: WarmLimits,
}

pub struct Sandbox {
    kernel: Arc<Kernel>,
    pool: Pool,
    slots: u32,
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
    pub warm: WarmStats,
}

impl Sandbox {
    /// # Safety
    /// `script_image` is machine code: it must come from `Kernel::script_image` by a way that nobody else can write to.
    pub unsafe fn new(options: SandboxOptions) -> Result<Self> {
        // SAFETY: the caller's promise.
        let kernel = Arc::new(unsafe { Kernel::new(&options) }?);
        let pool = Pool::start(options.pool_limits).map_err(|error| Error::msg(format!("could not start a thread: {error}")))?;
        let keeper = (Arc::downgrade(&kernel), pool.spare());
        let keep = move || {
            let (kernel, spare) = keeper;
            while let Some(kernel) = kernel.upgrade() {
                kernel.refresh(&spare);
                drop(kernel);
                thread::sleep(KEEPER_INTERVAL);
            }
        };
        if options.warm_limits.total > 0 {
            thread::Builder::new().name("warm-keeper".into()).spawn(keep)?;
        }
        Ok(Self { kernel, pool, slots: options.pool_limits.active_max as u32 })
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

    /// The stored form of a program: what `Kernel::stored` gave, or what `compiler::compile` made of a module.
    ///
    /// # Safety
    /// It is machine code: it must come from there by a way that nobody else can write to.
    pub unsafe fn load(
        &self,
        kind: ProgramKind,
        stored: Vec<u8>,
        reply: Reply<Result<Prepared, Refusal>>,
    ) -> Result<(), Rejection> {
        let kernel = Arc::clone(&self.kernel);
        // SAFETY: the caller's promise.
        let job = async move || reply.send(unsafe { kernel.load(kind, &stored) });
        self.pool.submit(job).map_err(|_| Rejection::Busy)
    }

    pub fn run(&self, handle: u32, request: RunRequest, reply: Reply<RunOutcome>) -> Result<(), Rejection> {
        self.run_unless_cancelled(handle, request, CancelFlag::default(), reply)
    }

    /// A run that is cancelled, before it begins or while it goes on, is answered with a failure soon after.
    pub fn run_unless_cancelled(
        &self,
        handle: u32,
        request: RunRequest,
        cancel: CancelFlag,
        reply: Reply<RunOutcome>,
    ) -> Result<(), Rejection> {
        let program = self.kernel.program(handle)?;
        check_input(&request)?;
        let kernel = Arc::clone(&self.kernel);
        let spare = self.pool.spare();
        let job = async move || {
            let ran = unless_cancelled(&cancel, kernel.run(&program, request)).await;
            reply.send(ran.unwrap_or_else(|| Err(EngineFailure("the run was cancelled".into()))));
            kernel.ask_for_one(&program, &spare);
        };
        self.pool.submit(job).map_err(|_| Rejection::Busy)
    }

    /// For measurements only; see `bench::bench_pool`.
    pub fn bench_pool(
        &self,
        handle: u32,
        request: RunRequest,
        count: usize,
        in_flight: usize,
    ) -> Result<Result<PoolTimings, EngineFailure>, Rejection> {
        let program = self.kernel.program(handle)?;
        Ok(bench_pool(&self.kernel, self.pool.spare(), &program, request, count, in_flight))
    }

    pub fn drop_program(&self, handle: u32) {
        self.kernel.drop_program(handle);
    }

    pub fn stats(&self) -> SandboxStats {
        let (programs, program_bytes, warm) = self.kernel.program_stats();
        SandboxStats { pool: self.pool.stats(), slots: self.slots, programs, program_bytes, warm }
    }

    pub fn close(&self) {
        self.pool.close();
    }
}

fn check_input(request: &RunRequest) -> Result<(), Rejection> {
    let (bytes, allowed) = (request.input.len(), request.limits.input_bytes);
    if bytes > allowed { Err(Rejection::InputTooLarge { bytes, allowed }) } else { Ok(()) }
}
