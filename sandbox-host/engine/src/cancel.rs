//! Ends a run that nobody wants any more, whatever its guest does.
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

/// Told once; clones are the same flag.
#[derive(Clone, Debug, Default)]
pub struct CancelFlag(Arc<AtomicBool>);

impl CancelFlag {
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Looks at the flag whenever the guest is about to go on: at its beginning, and after each slice of fuel (`deadline::YIELD_FUEL`). Then the
/// future is dropped, which unwinds the guest. `None` when that was so.
pub async fn unless_cancelled<T>(flag: &CancelFlag, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    std::future::poll_fn(move |cx| if flag.is_cancelled() { Poll::Ready(None) } else { future.as_mut().poll(cx).map(Some) }).await
}
