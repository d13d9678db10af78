//! How preparing and running end. A failing guest is a value here, never an error of ours.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Completed,
    Threw,
    Trapped,
    OutOfFuel,
    Deadline,
    MemoryLimit,
    OutputLimit,
    InvalidProgram,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Threw => "threw",
            Self::Trapped => "trapped",
            Self::OutOfFuel => "out-of-fuel",
            Self::Deadline => "deadline",
            Self::MemoryLimit => "memory-limit",
            Self::OutputLimit => "output-limit",
            Self::InvalidProgram => "invalid-program",
        }
    }
}

/// What a guest, or the limit that ended it, says about the end. Written by strangers: text to show, nothing more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuestError {
    pub name: Option<String>,
    pub message: String,
    pub stack: Option<String>,
    pub exit_code: Option<u32>,
}

impl GuestError {
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    pub name: String,
    pub bytes: Vec<u8>,
}

#[derive(Clone, Debug)]
pub struct RunOutcome {
    pub status: Status,
    /// JSON text; present when completed.
    pub output: Option<String>,
    pub error: Option<GuestError>,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    pub logs_truncated: bool,
    pub artifacts: Vec<Artifact>,
    pub fuel: u64,
    /// From claim to result; queueing excluded.
    pub wall_micros: u64,
    /// From claim to the first guest instruction.
    pub start_micros: f64,
    /// Whether an instance of the warm pool was used. Changes nothing but `start_micros`.
    pub was_warm: bool,
    pub memory_bytes_peak: u64,
}

/// What a deploy gave.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub handle: u32,
    /// Pages of 4 KiB that differ from the initialised script engine; 0 for the other kinds.
    pub snapshot_pages: usize,
    pub snapshot_bytes: usize,
    /// Linear memory with which each instance starts.
    pub memory_bytes: u64,
    pub prepare_micros: u64,
    /// Of a script that went through the compiler: what became of its functions, as JSON (`script_compiler::Report`).
    pub report: Option<Box<str>>,
}

/// Why a program was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    InvalidProgram(String),
    /// Its top level went over a limit.
    Limit(String),
}

impl Refusal {
    pub fn reason(&self) -> &'static str {
        match self {
            Self::InvalidProgram(_) => "invalid-program",
            Self::Limit(_) => "limit",
        }
    }

    pub fn message(&self) -> &str {
        match self {
            Self::InvalidProgram(message) | Self::Limit(message) => message,
        }
    }
}
