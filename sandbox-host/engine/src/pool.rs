//! Our own threads and the queue before them. A guest that used up its slice goes to the back, so that long guests do not
//! hold up short ones; how many are begun at once is bounded by the slots, how many wait by the queue.
use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;
type Job = Box<dyn FnOnce() -> Task + Send>;

#[derive(Clone, Copy, Debug)]
pub struct PoolLimits {
    pub threads: usize,
    /// Runs that are begun and not ended.
    pub active_max: usize,
    /// Runs that wait to begin.
    pub queue_max: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStats {
    pub running: usize,
    pub queued: usize,
}

/// The queue is full, or the pool is closed.
#[derive(Debug, PartialEq, Eq)]
pub struct Busy;

pub struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    limits: PoolLimits,
    state: Mutex<State>,
    work: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    /// Begun, and waiting for their next slice.
    yielded: VecDeque<Task>,
    /// For when there is nothing else to do. Short, and as many as there are programs at most.
    spare: VecDeque<Job>,
    active: usize,
    /// Threads that wait for work. Waking nobody costs a system call, so nobody is woken when there is none.
    idle: usize,
    /// Whether a waiting job comes before a yielded one; they take turns.
    begin_next: bool,
    closed: bool,
}

impl Pool {
    pub fn start(limits: PoolLimits) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { limits, state: Mutex::default(), work: Condvar::new() });
        for number in 0..limits.threads {
            let shared = Arc::clone(&shared);
            thread::Builder::new().name(format!("guest-{number}")).spawn(move || shared.work())?;
        }
        Ok(Self { shared })
    }

    pub fn submit<F: Future<Output = ()> + Send + 'static>(&self, job: impl FnOnce() -> F + Send + 'static) -> Result<(), Busy> {
        self.shared.submit(Box::new(move || Box::pin(job())))
    }

    /// For work that may wait for ever; it is begun only when no run waits for anything.
    pub fn spare(&self) -> Spare {
        Spare { shared: Arc::clone(&self.shared) }
    }

    pub fn stats(&self) -> PoolStats {
        let state = self.shared.lock();
        PoolStats { running: state.active, queued: state.waiting.len() }
    }

    /// Ends the threads after what they are doing; what waits is dropped, which answers it.
    pub fn close(&self) {
        let mut state = self.shared.lock();
        state.closed = true;
        let dropped = (std::mem::take(&mut state.waiting), std::mem::take(&mut state.yielded), std::mem::take(&mut state.spare));
        drop(state);
        drop(dropped);
        self.shared.work.notify_all();
    }
}

/// Where to leave work for idle threads.
#[derive(Clone)]
pub struct Spare {
    shared: Arc<Shared>,
}

impl Spare {
    /// As `Pool::submit`, from one of its own threads.
    pub fn submit_run<F: Future<Output = ()> + Send + 'static>(
        &self,
        job: impl FnOnce() -> F + Send + 'static,
    ) -> Result<(), Busy> {
        self.shared.submit(Box::new(move || Box::pin(job())))
    }

    pub fn submit<F: Future<Output = ()> + Send + 'static>(&self, job: impl FnOnce() -> F + Send + 'static) {
        let mut state = self.shared.lock();
        if state.closed {
            return;
        }
        state.spare.push_back(Box::new(move || Box::pin(job())));
        self.shared.wake(state);
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.close();
    }
}

enum Next {
    Begin(Job),
    Resume(Task),
}

impl Shared {
    fn submit(&self, job: Job) -> Result<(), Busy> {
        let mut state = self.lock();
        if state.closed || state.waiting.len() >= self.limits.queue_max {
            return Err(Busy);
        }
        state.waiting.push_back(job);
        self.wake(state);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Guests never run under the lock, so a poisoned one holds a whole state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, state: MutexGuard<'_, State>) {
        let is_anybody_idle = state.idle > 0;
        drop(state);
        if is_anybody_idle {
            self.work.notify_one();
        }
    }

    fn work(&self) {
        while let Some(next) = self.take() {
            // A panic costs the execution in which it happened: dropping it answers that the engine failed.
            match catch_unwind(AssertUnwindSafe(|| slice(next))) {
                Ok(Some(task)) => self.put_back(task),
                Ok(None) | Err(_) => self.lock().active -= 1,
            }
        }
    }

    fn take(&self) -> Option<Next> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(next) = state.next(self.limits.active_max) {
                return Some(next);
            }
            state.idle += 1;
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    fn put_back(&self, task: Task) {
        let mut state = self.lock();
        if state.closed {
            state.active -= 1;
            drop(state);
            drop(task);
            return;
        }
        state.yielded.push_back(task);
    }
}

impl State {
    fn next(&mut self, active_max: usize) -> Option<Next> {
        let may_begin = self.active < active_max && !self.waiting.is_empty();
        if may_begin && (self.begin_next || self.yielded.is_empty()) {
            self.begin_next = false;
            self.active += 1;
            return self.waiting.pop_front().map(Next::Begin);
        }
        self.begin_next = true;
        if let Some(task) = self.yielded.pop_front() {
            return Some(Next::Resume(task));
        }
        // Work that is left over takes a place of its own (`WarmLimits::total`), so no run waits for it.
        let job = self.spare.pop_front()?;
        self.active += 1;
        Some(Next::Begin(job))
    }
}

/// Runs a guest until it yields; returns it unless it ended.
fn slice(next: Next) -> Option<Task> {
    let mut task = match next {
        Next::Begin(job) => job(),
        Next::Resume(task) => task,
    };
    match task.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(()) => None,
        Poll::Pending => Some(task),
    }
}
