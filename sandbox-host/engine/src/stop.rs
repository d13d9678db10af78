//! The reasons for which the host itself ends a guest. They travel through Wasmtime as the error of a host function.
use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    MemoryLimit {
        wanted_bytes: u64,
        allowed_bytes: u64,
    },
    TableLimit {
        wanted: usize,
        allowed: usize,
    },
    OutputLimit(String),
    Exit(u32),
    Deadline,
    /// A guest gave the host a pointer outside its memory where no errno can be returned.
    BadPointer,
    /// A component called what agents do not have, or asked for too much of what they have.
    Refused(String),
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MemoryLimit { wanted_bytes, allowed_bytes } => {
                write!(f, "wanted {wanted_bytes} bytes of memory, allowed are {allowed_bytes}")
            }
            Self::TableLimit { wanted, allowed } => write!(f, "wanted a table of {wanted} elements, allowed are {allowed}"),
            Self::OutputLimit(message) | Self::Refused(message) => f.write_str(message),
            Self::Exit(code) => write!(f, "exited with code {code}"),
            Self::Deadline => f.write_str("the time limit was reached"),
            Self::BadPointer => f.write_str("a pointer lies outside the guest's memory"),
        }
    }
}

impl std::error::Error for Stop {}
