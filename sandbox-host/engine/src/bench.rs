//! Times runs on the calling thread, without Node, a queue or another thread: what the engine itself costs.
use crate::limits::RunRequest;
use crate::program::Program;
use crate::reply::EngineFailure;
use crate::sandbox::Kernel;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

#[derive(Clone, Copy, Debug, Default)]
pub struct Percentiles {
    pub p50_nanos: u64,
    pub p90_nanos: u64,
    pub p99_nanos: u64,
}

/// Runs `count` times, each from claim to outcome.
pub fn bench(kernel: &Kernel, program: &Program, request: &RunRequest, count: usize) -> Result<Percentiles, EngineFailure> {
    let mut nanos = Vec::with_capacity(count);
    for _ in 0..count.max(1) {
        let request = request.clone();
        let began = Instant::now();
        let outcome = block_on(kernel.run(program, request))?;
        drop(outcome);
        nanos.push(began.elapsed().as_nanos() as u64);
    }
    nanos.sort_unstable();
    let at = |share: usize| nanos[(nanos.len() * share / 100).min(nanos.len() - 1)];
    Ok(Percentiles { p50_nanos: at(50), p90_nanos: at(90), p99_nanos: at(99) })
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
