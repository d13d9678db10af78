//! Times runs on the calling thread, without Node, a queue or another thread: what the engine itself costs.
use crate::limits::RunRequest;
use crate::reply::{EngineFailure, Reply};
use crate::sandbox::{Kernel, LoadedProgram, Sandbox};
use std::future::Future;
use std::pin::pin;
use std::sync::mpsc;
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

/// Keeps `in_flight` runs in the pool until `count` have ended. Latency is from the submission to the answer, waiting included.
pub fn bench_pool(
    sandbox: &Sandbox,
    handle: u32,
    request: &RunRequest,
    count: usize,
    in_flight: usize,
) -> Result<PoolTimings, EngineFailure> {
    let (sender, receiver) = mpsc::channel();
    let submit = || {
        let sender = sender.clone();
        let submitted = Instant::now();
        // Nobody listens any more when another run has failed.
        let reply = Reply::new(move |answer: Result<_, _>| {
            sender.send(answer.map(|_| submitted.elapsed().as_nanos() as u64)).unwrap_or_default();
        });
        sandbox.run(handle, request.clone(), reply).map_err(|why| EngineFailure(format!("{why:?}")))
    };
    let began = Instant::now();
    for _ in 0..in_flight.min(count) {
        submit()?;
    }
    let mut nanos = Vec::with_capacity(count);
    for submitted in in_flight.min(count)..count + in_flight.min(count) {
        nanos.push(receiver.recv().map_err(|error| EngineFailure(error.to_string()))??);
        if submitted < count {
            submit()?;
        }
    }
    let runs_per_second = count as f64 / began.elapsed().as_secs_f64();
    Ok(PoolTimings { latency: percentiles(nanos), runs_per_second })
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
