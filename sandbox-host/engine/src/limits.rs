//! What one run is given: its input, its seed and the limits that end it.

/// Bounds of one run. Each ends the run in a status of its own.
#[derive(Clone, Debug, Default)]
pub struct RunLimits {
    /// Linear memory.
    pub memory_bytes: u64,
    /// Time on a thread of ours; waiting while another guest has the thread does not count.
    pub wall_ms: u64,
    /// One unit is about one Wasm instruction.
    pub fuel: u64,
    pub input_bytes: usize,
    pub output_bytes: usize,
    /// stdout and stderr each; what is beyond is dropped.
    pub log_bytes: usize,
    /// All artifacts of the run together.
    pub artifact_bytes: usize,
    pub artifact_count: usize,
}

/// One run of a prepared program.
#[derive(Clone, Debug)]
pub struct RunRequest {
    /// JSON text.
    pub input: String,
    /// 0 to 2^53-1.
    pub seed: u64,
    /// Instant at which the virtual clock starts, in milliseconds since 1970.
    pub start_time_ms: u64,
    pub limits: RunLimits,
    /// Arguments of a command after its name; scripts ignore them.
    pub args: Vec<String>,
}
