//! What the host keeps for one guest, and the store that holds it: output, logs, artifacts, clock, randomness, and how much
//! memory it took.
use crate::deadline::YIELD_FUEL;
use crate::engine::TABLE_ELEMENTS_MAX;
use crate::file_tree::FileTree;
use crate::limits::{RunLimits, RunRequest};
use crate::outcome::Artifact;
use crate::random::SeededRandom;
use crate::stop::Stop;
use crate::virtual_clock::VirtualClock;
use crate::wasi_poll::Pollables;
use wasmtime::{Engine, Memory, ResourceLimiter, Result, Store};

pub struct GuestState {
    /// Set after instantiation, so that host functions need not look it up by name.
    pub memory: Option<Memory>,
    pub limits: RunLimits,
    pub input: Vec<u8>,
    pub args: Vec<String>,
    pub seed: u64,
    pub clock: VirtualClock,
    pub random: SeededRandom,
    pub output: Vec<u8>,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    pub logs_truncated: bool,
    /// Of a script; those of a command lie in `files` until it ends.
    pub artifacts: Vec<Artifact>,
    pub artifact_bytes: usize,
    /// Descriptors and files of a command.
    pub files: Option<Box<FileTree>>,
    /// What a component waits for.
    pub pollables: Pollables,
    pub memory_bytes_peak: u64,
    /// Work done by the host that the guest has not paid for yet; see `guest::settle`.
    pub host_bytes: u64,
}

impl GuestState {
    pub fn new(request: RunRequest) -> Self {
        Self {
            memory: None,
            input: request.input.into_bytes(),
            args: request.args,
            seed: request.seed,
            clock: VirtualClock::new(request.start_time_ms),
            random: SeededRandom::new(request.seed),
            limits: request.limits,
            output: Vec::new(),
            stdout: Vec::new(),
            stderr: Vec::new(),
            logs_truncated: false,
            artifacts: Vec::new(),
            artifact_bytes: 0,
            files: None,
            pollables: Pollables::default(),
            memory_bytes_peak: 0,
            host_bytes: 0,
        }
    }

    /// Notes work on the guest's behalf that takes as long as copying so many bytes.
    pub fn charge(&mut self, bytes: usize) {
        self.host_bytes += bytes as u64;
    }

    pub fn write_output(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        let wanted = self.output.len() + bytes.len();
        if wanted > self.limits.output_bytes {
            return Err(Stop::OutputLimit(format!(
                "output of at least {wanted} bytes, allowed are {}",
                self.limits.output_bytes
            )));
        }
        self.output.extend_from_slice(bytes);
        Ok(())
    }

    pub fn write_stdout(&mut self, bytes: &[u8]) {
        self.logs_truncated |= !append_within(&mut self.stdout, bytes, self.limits.log_bytes);
    }

    pub fn write_stderr(&mut self, bytes: &[u8]) {
        self.logs_truncated |= !append_within(&mut self.stderr, bytes, self.limits.log_bytes);
    }

    /// The last artifact of a name stands.
    pub fn write_artifact(&mut self, name: String, bytes: Vec<u8>) -> Result<(), Stop> {
        if let Some(at) = self.artifacts.iter().position(|artifact| artifact.name == name) {
            self.artifact_bytes -= self.artifacts.remove(at).bytes.len();
        }
        let limits = &self.limits;
        if self.artifacts.len() >= limits.artifact_count {
            return Err(Stop::OutputLimit(format!("more than the allowed {} artifacts", limits.artifact_count)));
        }
        let wanted = self.artifact_bytes + bytes.len();
        if wanted > limits.artifact_bytes {
            return Err(Stop::OutputLimit(format!("artifacts of {wanted} bytes, allowed are {}", limits.artifact_bytes)));
        }
        self.artifact_bytes = wanted;
        self.artifacts.push(Artifact { name, bytes });
        Ok(())
    }
}

/// Returns whether all of it fitted.
fn append_within(log: &mut Vec<u8>, bytes: &[u8], bytes_max: usize) -> bool {
    let room = bytes_max.saturating_sub(log.len());
    log.extend_from_slice(&bytes[..bytes.len().min(room)]);
    bytes.len() <= room
}

impl ResourceLimiter for GuestState {
    fn memory_growing(&mut self, _current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        let wanted_bytes = desired as u64;
        // More than the module itself declares is the guest's own business: its grow answers -1.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        if wanted_bytes > self.limits.memory_bytes {
            return Err(Stop::MemoryLimit { wanted_bytes, allowed_bytes: self.limits.memory_bytes }.into());
        }
        self.memory_bytes_peak = self.memory_bytes_peak.max(wanted_bytes);
        Ok(true)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        if desired > TABLE_ELEMENTS_MAX {
            return Err(Stop::TableLimit { wanted: desired, allowed: TABLE_ELEMENTS_MAX }.into());
        }
        Ok(true)
    }
}

/// A store with the request's fuel, which yields to `deadline::within`.
pub fn guest_store(engine: &Engine, request: RunRequest) -> Result<Store<GuestState>> {
    let fuel = request.limits.fuel;
    let mut store = Store::new(engine, GuestState::new(request));
    store.limiter(|state| state);
    // Wasmtime looks at the fuel at function entries and loop heads only. One unit more than allowed tells a run that used all of it
    // from one that used too much; see `fuel_used`.
    store.set_fuel(fuel.saturating_add(1))?;
    store.fuel_async_yield_interval(Some(YIELD_FUEL))?;
    Ok(store)
}

/// Gives a store whose instance waited the state of the run that it is for. What the instance has by then stays.
pub fn begin(store: &mut Store<GuestState>, request: RunRequest) -> Result<()> {
    let GuestState { memory, memory_bytes_peak, .. } = *store.data();
    let fuel = request.limits.fuel;
    *store.data_mut() = GuestState { memory, memory_bytes_peak, ..GuestState::new(request) };
    store.set_fuel(fuel.saturating_add(1))
}

/// What the run used, or nothing when that is more than it was given.
pub fn fuel_used(store: &Store<GuestState>) -> Option<u64> {
    let given = store.data().limits.fuel.saturating_add(1);
    let left = store.get_fuel().unwrap_or(0);
    if left == 0 { None } else { Some(given.saturating_sub(left)) }
}
