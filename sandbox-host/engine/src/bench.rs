//! Times runs on the calling thread, without Node, a queue or another thread: what the engine itself costs.
use crate::kernel::{Kernel, LoadedProgram};
use crate::limits::RunRequest;
use crate::pool::Spare;
use crate::reply::EngineFailure;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

#[derive(Clone, Copy, Debug, Default)]
pub struct Percentiles {
    pub p50_nanos: u64,
    pub p90_nanos: u64,
    pub p99_nanos: u64,
}

/// `total` is from claim to outcome and teardown, `start` from claim to the first guest instruction.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timings {
    pub total: Percentiles,
    pub start: Percentiles,
}

/// Runs `count` times, each from claim to outcome; with `warm`, an instance waits each time, and making it is not counted.
pub fn bench(
    kernel: &Kernel,
    program: &LoadedProgram,
    request: &RunRequest,
    count: usize,
    warm: bool,
) -> Result<Timings, EngineFailure> {
    let (mut starts, mut totals) = (Vec::with_capacity(count), Vec::with_capacity(count));
    for _ in 0..count.max(1) {
        if warm {
            block_on(kernel.warm_up(program));
        }
        let request = request.clone();
        let began = Instant::now();
        let outcome = block_on(kernel.run(program, request))?;
        let start_nanos = outcome.start_micros * 1e3;
        drop(outcome);
        totals.push(began.elapsed().as_nanos() as u64);
        starts.push(start_nanos as u64);
    }
    Ok(Timings { total: percentiles(totals), start: percentiles(starts) })
}

/// The least that Wasmtime can do for the same program under the same instruments: a store, fuel with yields, an instance, the call.
/// Nothing for scripts and components: their calls are ours.
pub fn bench_raw(
    kernel: &Kernel,
    program: &LoadedProgram,
    request: &RunRequest,
    count: usize,
) -> Result<Percentiles, EngineFailure> {
    let mut nanos = Vec::with_capacity(count);
    for _ in 0..count.max(1) {
        let request = request.clone();
        let began = Instant::now();
        block_on(kernel.run_raw(program, request))?;
        nanos.push(began.elapsed().as_nanos() as u64);
    }
    Ok(percentiles(nanos))
}

#[derive(Clone, Copy, Debug, Default)]
pub struct PoolTimings {
    pub latency: Percentiles,
    pub runs_per_second: f64,
}

/// Keeps `in_flight` runs in the pool until `count` have ended: whoever ends submits the next, as so many independent callers would.
/// Latency is from the submission to the outcome, waiting included.
pub fn bench_pool(
    kernel: &Arc<Kernel>,
    spare: Spare,
    program: &Arc<LoadedProgram>,
    request: RunRequest,
    count: usize,
    in_flight: usize,
) -> Result<PoolTimings, EngineFailure> {
    let (ended, all_ended) = mpsc::channel();
    let callers = Arc::new(Callers {
        kernel: Arc::clone(kernel),
        program: Arc::clone(program),
        spare,
        request,
        left: AtomicUsize::new(count),
        nanos: Mutex::new(Vec::with_capacity(count)),
        ended,
    });
    let began = Instant::now();
    for _ in 0..in_flight {
        Arc::clone(&callers).call();
    }
    for _ in 0..count {
        all_ended.recv().map_err(|error| EngineFailure(error.to_string()))??;
    }
    let runs_per_second = count as f64 / began.elapsed().as_secs_f64();
    let nanos = std::mem::take(&mut *callers.nanos.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(PoolTimings { latency: percentiles(nanos), runs_per_second })
}

struct Callers {
    kernel: Arc<Kernel>,
    program: Arc<LoadedProgram>,
    spare: Spare,
    request: RunRequest,
    left: AtomicUsize,
    nanos: Mutex<Vec<u64>>,
    ended: mpsc::Sender<Result<(), EngineFailure>>,
}

impl Callers {
    fn call(self: Arc<Self>) {
        if self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err() {
            return;
        }
        let (callers, submitted) = (Arc::clone(&self), Instant::now());
        let job = async move || {
            let ran = callers.kernel.run(&callers.program, callers.request.clone()).await;
            callers.nanos.lock().unwrap_or_else(PoisonError::into_inner).push(submitted.elapsed().as_nanos() as u64);
            // Nobody listens any more when another run has failed.
            callers.ended.send(ran.map(drop)).unwrap_or_default();
            callers.call();
        };
        if let Err(busy) = self.spare.submit_run(job) {
            self.ended.send(Err(EngineFailure(format!("{busy:?}")))).unwrap_or_default();
        }
    }
}

fn percentiles(mut nanos: Vec<u64>) -> Percentiles {
    nanos.sort_unstable();
    let at = |share: usize| nanos[(nanos.len() * share / 100).min(nanos.len() - 1)];
    Percentiles { p50_nanos: at(50), p90_nanos: at(90), p99_nanos: at(99) }
}

/// Polls to the end: our futures yield only to give others their turn.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}
