//! The border to Node. Data in, one tagged outcome out; no logic. Guests never run on Node's threads: answers come back through
//! one threadsafe function, keyed by the number that the caller gave.
use crate::cancel::CancelFlag;
use crate::engine::PoolSize;
use crate::limits::{RunLimits, RunRequest};
use crate::outcome::{Prepared, Refusal, RunOutcome};
use crate::pool::PoolLimits;
use crate::program::ProgramKind;
use crate::reply::{EngineFailure, Reply};
use crate::sandbox::{Rejection, Sandbox, SandboxOptions};
use crate::script_compiler::{COMPILER_VERSION, Settings};
use crate::warm::WarmLimits;
use crate::{bench, outcome};
use napi::bindgen_prelude::{Buffer, Function};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Error, Result, Status};
use napi_derive::napi;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[napi(object)]
pub struct EngineOptions {
    pub script_module_path: String,
    pub prelude_source: String,
    /// What `scriptImage` gave to a process of the same build. Machine code: from a trusted place only.
    pub script_image: Option<Buffer>,
    pub threads: u32,
    pub slots: u32,
    pub memory_bytes_max: f64,
    pub queue_max: u32,
    pub warm_per_program: u32,
    pub warm_total: u32,
    pub warm_lifetime_ms: f64,
}

#[napi(object)]
pub struct Limits {
    pub memory_bytes: f64,
    pub wall_ms: f64,
    pub fuel: f64,
    pub input_bytes: f64,
    pub output_bytes: f64,
    pub log_bytes: f64,
    pub artifact_bytes: f64,
    pub artifact_count: f64,
}

#[napi(object)]
pub struct Request {
    pub input: String,
    pub seed: f64,
    pub start_time_ms: f64,
    pub limits: Limits,
    pub args: Option<Vec<String>>,
}

#[napi(object)]
pub struct PrepareAnswer {
    pub ok: bool,
    pub handle: Option<u32>,
    pub snapshot_pages: Option<f64>,
    pub snapshot_bytes: Option<f64>,
    pub memory_bytes: Option<f64>,
    pub prepare_micros: Option<f64>,
    pub report: Option<String>,
    pub reason: Option<String>,
    pub message: Option<String>,
}

#[napi(object)]
pub struct GuestError {
    pub name: Option<String>,
    pub message: String,
    pub stack: Option<String>,
    pub exit_code: Option<u32>,
}

#[napi(object)]
pub struct Artifact {
    pub name: String,
    pub bytes: Buffer,
}

#[napi(object)]
pub struct RunAnswer {
    pub status: String,
    pub output: Option<String>,
    pub error: Option<GuestError>,
    pub stdout: Buffer,
    pub stderr: Buffer,
    pub logs_truncated: bool,
    pub artifacts: Vec<Artifact>,
    pub fuel: f64,
    pub wall_micros: f64,
    pub start_micros: f64,
    pub was_warm: bool,
    pub memory_bytes_peak: f64,
}

/// What comes back for the call of that number: one of the three.
#[napi(object)]
pub struct Completion {
    pub call: f64,
    pub prepared: Option<PrepareAnswer>,
    pub ran: Option<RunAnswer>,
    pub failure: Option<String>,
}

#[napi(object)]
pub struct Stats {
    pub running: f64,
    pub queued: f64,
    pub slots: f64,
    pub programs: f64,
    pub program_bytes: f64,
    pub warm_waiting: f64,
    pub warm_hits: f64,
    pub warm_misses: f64,
    pub warm_made: f64,
    pub warm_expired: f64,
    pub warm_evicted: f64,
}

#[napi(object)]
pub struct Percentiles {
    pub p50_nanos: f64,
    pub p90_nanos: f64,
    pub p99_nanos: f64,
}

#[napi(object)]
pub struct PoolAnswer {
    pub latency: Percentiles,
    pub runs_per_second: f64,
}

#[napi(object)]
pub struct BenchAnswer {
    pub total: Percentiles,
    pub start: Percentiles,
}

/// Weak: it keeps no process alive. The caller counts its calls.
type Completed = ThreadsafeFunction<Completion, (), Completion, Status, false, true>;

#[napi(js_name = "Engine")]
pub struct NodeEngine {
    sandbox: Sandbox,
    completed: Arc<Completed>,
    /// Of runs that may be cancelled, by their call.
    flags: Arc<Mutex<HashMap<u64, CancelFlag>>>,
}

#[napi]
impl NodeEngine {
    #[napi(constructor)]
    pub fn new(options: EngineOptions, completed: Function<'_, Completion, ()>) -> Result<Self> {
        let script_module = std::fs::read(&options.script_module_path).map_err(|error| {
            Error::from_reason(format!("could not read the script module {}: {error}", options.script_module_path))
        })?;
        let warm_limits = WarmLimits {
            per_program: options.warm_per_program as usize,
            total: options.warm_total as usize,
            lifetime: Duration::from_millis(options.warm_lifetime_ms as u64),
        };
        let sandbox_options = SandboxOptions {
            script_module,
            prelude: options.prelude_source,
            script_image: options.script_image.map(|stored| stored.to_vec()),
            // Each thread may make or check one beyond what is counted, a bench or a preparation.
            pool_size: PoolSize {
                slots: options.slots.saturating_add(options.warm_total).saturating_add(options.threads),
                memory_bytes_max: options.memory_bytes_max as usize,
            },
            warm_limits,
            pool_limits: PoolLimits {
                threads: options.threads as usize,
                active_max: options.slots as usize,
                queue_max: options.queue_max as usize,
            },
        };
        // SAFETY: `native-engine.ts` promises where it has the image from.
        let sandbox = unsafe { Sandbox::new(sandbox_options) };
        let sandbox = sandbox.map_err(|error| Error::from_reason(format!("could not start the engine: {error:#}")))?;
        let completed = completed.build_threadsafe_function().callee_handled::<false>().weak::<true>().build()?;
        Ok(Self { sandbox, completed: Arc::new(completed), flags: Arc::default() })
    }

    /// Of compiled scripts: another one may take other fuel.
    #[napi(getter)]
    pub fn compiler_version(&self) -> u32 {
        COMPILER_VERSION
    }

    #[napi(getter)]
    pub fn version(&self) -> String {
        self.sandbox.kernel().version().to_owned()
    }

    #[napi]
    pub fn prepare(&self, call: f64, kind: String, code: Buffer, limits: Limits) -> Result<()> {
        let reply = self.prepare_reply(call);
        self.sandbox.prepare(kind_of(&kind)?, code.to_vec(), run_limits(&limits), reply).map_err(rejected)
    }

    /// Machine code: from a trusted place only.
    #[napi]
    pub fn load(&self, call: f64, kind: String, stored: Buffer) -> Result<()> {
        let reply = self.prepare_reply(call);
        // SAFETY: `native-engine.ts` promises where it has the bytes from.
        unsafe { self.sandbox.load(kind_of(&kind)?, stored.to_vec(), reply) }.map_err(rejected)
    }

    /// The program as `load` takes it, in a process of the same build.
    #[napi]
    pub fn stored(&self, handle: u32) -> Result<Buffer> {
        self.sandbox.kernel().stored(handle).map(Buffer::from).map_err(|error| Error::from_reason(format!("{error:#}")))
    }

    /// What `agent-compiler script` makes the compiled form of a prepared script of. Without cells every property is looked up; for tests.
    #[napi]
    pub fn compiler_input(&self, handle: u32, has_cells: bool) -> Result<Buffer> {
        let input = self.sandbox.kernel().compiler_input(handle, Settings { has_cells });
        input.map(Buffer::from).map_err(|error| Error::from_reason(format!("{error:#}")))
    }

    /// For the options of a process of the same build.
    #[napi]
    pub fn script_image(&self) -> Result<Buffer> {
        self.sandbox.kernel().script_image().map(Buffer::from).map_err(|error| Error::from_reason(format!("{error:#}")))
    }

    #[napi]
    pub fn run(&self, call: f64, handle: u32, request: Request) -> Result<()> {
        let completed = Arc::clone(&self.completed);
        let reply = Reply::new(move |answer: std::result::Result<_, EngineFailure>| {
            completed.call(run_completion(call, answer), ThreadsafeFunctionCallMode::NonBlocking);
        });
        self.sandbox.run(handle, run_request(request), reply).map_err(rejected)
    }

    /// As `run`, for what `cancel` may end.
    #[napi]
    pub fn run_cancellable(&self, call: f64, handle: u32, request: Request) -> Result<()> {
        let flag = CancelFlag::default();
        let (completed, flags) = (Arc::clone(&self.completed), Arc::clone(&self.flags));
        let reply = Reply::new(move |answer: std::result::Result<_, EngineFailure>| {
            lock(&flags).remove(&(call as u64));
            completed.call(run_completion(call, answer), ThreadsafeFunctionCallMode::NonBlocking);
        });
        lock(&self.flags).insert(call as u64, flag.clone());
        self.sandbox.run_unless_cancelled(handle, run_request(request), flag, reply).map_err(rejected)
    }

    /// A run that has ended meanwhile stays as it ended.
    #[napi]
    pub fn cancel(&self, call: f64) {
        if let Some(flag) = lock(&self.flags).get(&(call as u64)) {
            flag.cancel();
        }
    }

    #[napi]
    pub fn drop_program(&self, handle: u32) {
        self.sandbox.drop_program(handle);
    }

    #[napi]
    pub fn stats(&self) -> Stats {
        let stats = self.sandbox.stats();
        Stats {
            running: stats.pool.running as f64,
            queued: stats.pool.queued as f64,
            slots: f64::from(stats.slots),
            programs: stats.programs as f64,
            program_bytes: stats.program_bytes as f64,
            warm_waiting: stats.warm.waiting as f64,
            warm_hits: stats.warm.hits as f64,
            warm_misses: stats.warm.misses as f64,
            warm_made: stats.warm.made as f64,
            warm_expired: stats.warm.expired as f64,
            warm_evicted: stats.warm.evicted as f64,
        }
    }

    #[napi]
    pub fn close(&self) {
        self.sandbox.close();
    }

    #[napi]
    pub fn bench(&self, handle: u32, request: Request, count: u32, warm: bool) -> Result<BenchAnswer> {
        let program = self.sandbox.kernel().program(handle).map_err(rejected)?;
        let measured = bench::bench(self.sandbox.kernel(), &program, &run_request(request), count as usize, warm);
        let measured = measured.map_err(|failure| Error::from_reason(failure.0))?;
        Ok(BenchAnswer { total: percentiles(measured.total), start: percentiles(measured.start) })
    }
}

#[napi]
impl NodeEngine {
    #[napi]
    pub fn bench_raw(&self, handle: u32, request: Request, count: u32) -> Result<Percentiles> {
        let program = self.sandbox.kernel().program(handle).map_err(rejected)?;
        let measured = bench::bench_raw(self.sandbox.kernel(), &program, &run_request(request), count as usize);
        measured.map(percentiles).map_err(|failure| Error::from_reason(failure.0))
    }

    #[napi]
    pub fn bench_pool(&self, handle: u32, request: Request, count: u32, in_flight: u32) -> Result<PoolAnswer> {
        let measured =
            self.sandbox.bench_pool(handle, run_request(request), count as usize, in_flight as usize).map_err(rejected)?;
        let measured = measured.map_err(|failure| Error::from_reason(failure.0))?;
        Ok(PoolAnswer { latency: percentiles(measured.latency), runs_per_second: measured.runs_per_second })
    }
}

fn percentiles(measured: bench::Percentiles) -> Percentiles {
    Percentiles {
        p50_nanos: measured.p50_nanos as f64,
        p90_nanos: measured.p90_nanos as f64,
        p99_nanos: measured.p99_nanos as f64,
    }
}

impl NodeEngine {
    fn prepare_reply(&self, call: f64) -> Reply<std::result::Result<Prepared, Refusal>> {
        let completed = Arc::clone(&self.completed);
        Reply::new(move |answer: std::result::Result<_, EngineFailure>| {
            let completion = match answer {
                Ok(answer) => Completion { prepared: Some(prepare_answer(answer)), ..completion(call) },
                Err(failure) => Completion { failure: Some(failure.0), ..completion(call) },
            };
            completed.call(completion, ThreadsafeFunctionCallMode::NonBlocking);
        })
    }
}

fn kind_of(name: &str) -> Result<ProgramKind> {
    ProgramKind::named(name)
        .ok_or_else(|| Error::from_reason(format!("program kind {name:?} is not script, command or component")))
}

fn completion(call: f64) -> Completion {
    Completion { call, prepared: None, ran: None, failure: None }
}

fn run_completion(call: f64, answer: std::result::Result<RunOutcome, EngineFailure>) -> Completion {
    match answer {
        Ok(outcome) => Completion { ran: Some(run_answer(outcome)), ..completion(call) },
        Err(failure) => Completion { failure: Some(failure.0), ..completion(call) },
    }
}

fn lock(flags: &Mutex<HashMap<u64, CancelFlag>>) -> MutexGuard<'_, HashMap<u64, CancelFlag>> {
    flags.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The message begins with the code that the caller branches on.
fn rejected(rejection: Rejection) -> Error {
    Error::from_reason(match rejection {
        Rejection::Busy => "engine-busy: the queue is full or the engine is closed".to_owned(),
        Rejection::UnknownProgram { handle } => format!("unknown-program: no program has the handle {handle}"),
        Rejection::InputTooLarge { bytes, allowed } => format!("input-limit: the input is {bytes} bytes, allowed are {allowed}"),
    })
}

fn run_limits(limits: &Limits) -> RunLimits {
    RunLimits {
        memory_bytes: limits.memory_bytes as u64,
        wall_ms: limits.wall_ms as u64,
        fuel: limits.fuel as u64,
        input_bytes: limits.input_bytes as usize,
        output_bytes: limits.output_bytes as usize,
        log_bytes: limits.log_bytes as usize,
        artifact_bytes: limits.artifact_bytes as usize,
        artifact_count: limits.artifact_count as usize,
    }
}

fn run_request(request: Request) -> RunRequest {
    RunRequest {
        limits: run_limits(&request.limits),
        input: request.input,
        seed: request.seed as u64,
        start_time_ms: request.start_time_ms as u64,
        args: request.args.unwrap_or_default(),
    }
}

fn prepare_answer(answer: std::result::Result<Prepared, Refusal>) -> PrepareAnswer {
    let mut told = PrepareAnswer {
        ok: answer.is_ok(),
        handle: None,
        snapshot_pages: None,
        snapshot_bytes: None,
        memory_bytes: None,
        prepare_micros: None,
        report: None,
        reason: None,
        message: None,
    };
    match answer {
        Ok(prepared) => {
            told.handle = Some(prepared.handle);
            told.snapshot_pages = Some(prepared.snapshot_pages as f64);
            told.snapshot_bytes = Some(prepared.snapshot_bytes as f64);
            told.memory_bytes = Some(prepared.memory_bytes as f64);
            told.prepare_micros = Some(prepared.prepare_micros as f64);
            told.report = prepared.report.map(String::from);
        }
        Err(refusal) => {
            told.message = Some(refusal.message().to_owned());
            told.reason = Some(refusal.reason().to_owned());
        }
    }
    told
}

fn run_answer(outcome: RunOutcome) -> RunAnswer {
    RunAnswer {
        status: outcome.status.as_str().to_owned(),
        output: outcome.output,
        error: outcome.error.map(guest_error),
        stdout: outcome.stdout.into(),
        stderr: outcome.stderr.into(),
        logs_truncated: outcome.logs_truncated,
        artifacts: outcome
            .artifacts
            .into_iter()
            .map(|artifact| Artifact { name: artifact.name, bytes: artifact.bytes.into() })
            .collect(),
        fuel: outcome.fuel as f64,
        wall_micros: outcome.wall_micros as f64,
        start_micros: outcome.start_micros,
        was_warm: outcome.was_warm,
        memory_bytes_peak: outcome.memory_bytes_peak as f64,
    }
}

fn guest_error(error: outcome::GuestError) -> GuestError {
    GuestError { name: error.name, message: error.message, stack: error.stack, exit_code: error.exit_code }
}
