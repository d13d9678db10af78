//! The only clock a guest sees. It starts where the request says, moves a microsecond with every reading so that busy
//! waits end, and jumps when the guest sleeps.

/// Step of one reading. Small enough that a program sees one instant, large enough that a wait of milliseconds ends.
const READ_STEP_NANOS: u64 = 1_000;

#[derive(Clone, Debug)]
pub struct VirtualClock {
    start_nanos: u64,
    now_nanos: u64,
}

impl VirtualClock {
    pub fn new(start_time_ms: u64) -> Self {
        let start_nanos = start_time_ms.saturating_mul(1_000_000);
        Self { start_nanos, now_nanos: start_nanos }
    }

    /// Nanoseconds since 1970.
    pub fn read_nanos(&mut self) -> u64 {
        let now = self.now_nanos;
        self.now_nanos = now.saturating_add(READ_STEP_NANOS);
        now
    }

    /// Nanoseconds since the start of the run.
    pub fn read_elapsed_nanos(&mut self) -> u64 {
        self.read_nanos() - self.start_nanos
    }

    pub fn sleep_nanos(&mut self, nanos: u64) {
        self.now_nanos = self.now_nanos.saturating_add(nanos);
    }

    /// Jumps forward to `nanos` after the start; never back.
    pub fn sleep_until_elapsed(&mut self, nanos: u64) {
        self.now_nanos = self.now_nanos.max(self.start_nanos.saturating_add(nanos));
    }
}
