//! The warm pool: instances of hot programs that are made before a run asks for them. A run that finds one begins without
//! instantiating and restoring; one that does not makes its own, and gets the same bytes and the same fuel.
//!
//! ```text
//! run ends ─▶ was it used within its lifetime before? ─▶ an idle thread makes one more, until there are enough
//!                                                        the keeper replaces what is too old, or drops it when nobody came
//! ```
use crate::limits::{RunLimits, RunRequest};
use crate::store::{GuestState, guest_store};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use wasmtime::{Engine, Result, Store, TypedFunc};

#[derive(Clone, Copy, Debug)]
pub struct WarmLimits {
    /// Instances that wait for each hot program.
    pub per_program: usize,
    /// Of all programs together; each takes a slot.
    pub total: usize,
    /// How long an instance waits before it is replaced, and how long a program counts as hot after a run.
    pub lifetime: Duration,
}

/// What a run calls; its parameter is the length of the input, where there is one.
pub enum Entry {
    Script(TypedFunc<i32, ()>),
    Command(TypedFunc<(), ()>),
}

/// An instance that no input has reached yet.
pub struct WarmInstance {
    pub store: Store<GuestState>,
    pub entry: Entry,
    made: Instant,
}

impl WarmInstance {
    pub fn new(store: Store<GuestState>, entry: Entry) -> Self {
        Self { store, entry, made: Instant::now() }
    }
}

/// Without a single unit of fuel: guest code that runs before its input is there, as start functions do, ends such an instance at once.
pub fn warm_store(engine: &Engine, memory_bytes_max: usize) -> Result<Store<GuestState>> {
    let limits = RunLimits { memory_bytes: memory_bytes_max as u64, ..RunLimits::default() };
    let request = RunRequest { input: String::new(), seed: 0, start_time_ms: 0, limits, args: Vec::new() };
    let mut store = guest_store(engine, request)?;
    store.set_fuel(0)?;
    Ok(store)
}

/// Of one program.
#[derive(Default)]
pub struct WarmSet {
    state: Mutex<SetState>,
    /// Its instances cannot wait: they run code when they are made.
    unfit: AtomicBool,
    /// Whether an idle thread has been asked for one.
    asked: AtomicBool,
}

#[derive(Default)]
struct SetState {
    waiting: VecDeque<WarmInstance>,
    used: Option<Instant>,
    hot: bool,
}

#[derive(Default)]
pub struct WarmCounts {
    /// Places of the pool that are taken: by what waits, and by what is being made for one.
    places: AtomicUsize,
    hits: AtomicU64,
    misses: AtomicU64,
    made: AtomicU64,
    expired: AtomicU64,
    evicted: AtomicU64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WarmStats {
    pub waiting: usize,
    pub hits: u64,
    pub misses: u64,
    pub made: u64,
    pub expired: u64,
    pub evicted: u64,
}

impl WarmCounts {
    /// Takes a place of the pool, if there is one; whoever has it gives it back, or keeps an instance in it.
    pub fn take_place(&self, total: usize) -> bool {
        self.places.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| (taken < total).then_some(taken + 1)).is_ok()
    }

    pub fn give_back(&self, places: usize) {
        self.places.fetch_sub(places, Ordering::Relaxed);
    }

    pub fn stats(&self) -> WarmStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        WarmStats {
            waiting: self.places.load(Ordering::Relaxed),
            hits: read(&self.hits),
            misses: read(&self.misses),
            made: read(&self.made),
            expired: read(&self.expired),
            evicted: read(&self.evicted),
        }
    }
}

impl WarmSet {
    fn lock(&self) -> MutexGuard<'_, SetState> {
        // Nothing of a guest runs under the lock, so a poisoned one holds a whole state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the use, and takes the oldest instance if there is one that the limits of the run allow.
    pub fn claim(&self, limits: &RunLimits, warm: &WarmLimits, counts: &WarmCounts) -> Option<WarmInstance> {
        let now = Instant::now();
        let mut state = self.lock();
        state.hot = state.used.is_some_and(|used| now.duration_since(used) < warm.lifetime);
        state.used = Some(now);
        // A tier with less memory than the instance has: making one anew ends the run as it must end.
        let fits = state.waiting.front().is_some_and(|first| first.store.data().memory_bytes_peak <= limits.memory_bytes);
        let claimed = if fits { state.waiting.pop_front() } else { None };
        drop(state);
        if claimed.is_some() {
            // From here on the instance has the place of its run.
            counts.give_back(1);
        }
        let counter = if claimed.is_some() { &counts.hits } else { &counts.misses };
        counter.fetch_add(1, Ordering::Relaxed);
        claimed
    }

    /// Whether somebody should be asked to make one; whoever is told so must do it, and then call `keep` or `give_up`.
    pub fn wants_one(&self, limits: &WarmLimits) -> bool {
        if limits.total == 0 || self.unfit.load(Ordering::Relaxed) {
            return false;
        }
        let state = self.lock();
        state.hot && state.waiting.len() < limits.per_program && !self.asked.swap(true, Ordering::Relaxed)
    }

    /// `instance` has a place of the pool.
    pub fn keep(&self, instance: WarmInstance, counts: &WarmCounts) {
        let mut state = self.lock();
        // The program may have been dropped meanwhile.
        if self.unfit.load(Ordering::Relaxed) {
            drop((state, instance));
            counts.give_back(1);
        } else {
            state.waiting.push_back(instance);
            counts.made.fetch_add(1, Ordering::Relaxed);
        }
        self.asked.store(false, Ordering::Relaxed);
    }

    pub fn give_up(&self, is_for_ever: bool) {
        if is_for_ever {
            self.unfit.store(true, Ordering::Relaxed);
        }
        self.asked.store(false, Ordering::Relaxed);
    }

    /// Drops what is too old. A program that was used since stays hot, so that `wants_one` replaces it.
    pub fn expire(&self, limits: &WarmLimits, counts: &WarmCounts) {
        let now = Instant::now();
        let mut state = self.lock();
        state.hot &= state.used.is_some_and(|used| now.duration_since(used) < limits.lifetime);
        let fresh = state.waiting.iter().position(|instance| now.duration_since(instance.made) < limits.lifetime);
        let count = fresh.unwrap_or(state.waiting.len());
        let old: Vec<_> = state.waiting.drain(..count).collect();
        drop(state);
        counts.expired.fetch_add(old.len() as u64, Ordering::Relaxed);
        release(old, counts);
    }

    /// When it was used last, if an instance waits here.
    pub fn idle_since(&self) -> Option<Instant> {
        let state = self.lock();
        if state.waiting.is_empty() { None } else { state.used }
    }

    /// Whether it was used after that.
    pub fn used_since(&self, instant: Instant) -> bool {
        self.lock().used.is_some_and(|used| used > instant)
    }

    /// Gives up one instance in favour of another program.
    pub fn evict_one(&self, counts: &WarmCounts) {
        let evicted = self.lock().waiting.pop_front();
        if evicted.is_some() {
            counts.evicted.fetch_add(1, Ordering::Relaxed);
            release(evicted, counts);
        }
    }

    /// The program is dropped.
    pub fn clear(&self, counts: &WarmCounts) {
        let mut state = self.lock();
        self.unfit.store(true, Ordering::Relaxed);
        let dropped = std::mem::take(&mut state.waiting);
        drop(state);
        release(dropped, counts);
    }
}

/// An instance is gone before its place is free, or there would be more instances than slots.
fn release(instances: impl IntoIterator<Item = WarmInstance>, counts: &WarmCounts) {
    for instance in instances {
        drop(instance);
        counts.give_back(1);
    }
}
