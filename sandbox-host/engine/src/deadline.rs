//! Polls a guest until it ends or has had its time. Guests yield after every slice of fuel, and that is when the clock
//! is looked at: one instrument, fuel, serves both metering and the deadline.
use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

/// Fuel between two looks at the clock. About a millisecond of interpreter time (measured, see `shared/anchors.md`).
pub const YIELD_FUEL: u64 = 1_000_000;

/// The guest had its time.
#[derive(Debug, PartialEq, Eq)]
pub struct DeadlineReached;

thread_local! {
    /// When the guest that is on this thread has had its time.
    static OVER_AT: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// For host functions that work for long between two yields.
pub fn is_over() -> bool {
    OVER_AT.get().is_some_and(|at| Instant::now() >= at)
}

/// Time on this thread counts, waiting for a turn does not. The future is dropped at the deadline, which unwinds the guest.
pub async fn within<T>(budget: Duration, future: impl Future<Output = T>) -> Result<T, DeadlineReached> {
    let mut future = pin!(future);
    let mut used = Duration::ZERO;
    std::future::poll_fn(move |cx| {
        let began = Instant::now();
        OVER_AT.set(began.checked_add(budget.saturating_sub(used)));
        match future.as_mut().poll(cx) {
            Poll::Ready(value) => Poll::Ready(Ok(value)),
            Poll::Pending => {
                used += began.elapsed();
                if used >= budget { Poll::Ready(Err(DeadlineReached)) } else { Poll::Pending }
            }
        }
    })
    .await
}
