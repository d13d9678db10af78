//! WASI preview 1 in memory: all 46 functions, deterministic, without a byte of the host's world. Processes in
//! `wasi_process.rs`, descriptors in `wasi_files.rs`, names in `wasi_paths.rs`.
use crate::guest;
use crate::stop::Stop;
use crate::store::GuestState;
use crate::{wasi_files, wasi_paths, wasi_process};
use wasmtime::{Caller, Linker, Result};

/// Error numbers of WASI preview 1 (its `errno` in the published witx).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Errno {
    Success = 0,
    Again = 6,
    Badf = 8,
    Exist = 20,
    Fault = 21,
    Ilseq = 25,
    Inval = 28,
    Isdir = 31,
    Mfile = 33,
    Nametoolong = 37,
    Noent = 44,
    Nospc = 51,
    Nosys = 52,
    Notdir = 54,
    Notempty = 55,
    Notsock = 57,
    Notsup = 58,
    Perm = 63,
    Spipe = 70,
    Notcapable = 76,
}

/// How a WASI function ends that went wrong: the guest is told, or it is ended.
#[derive(Debug)]
pub enum Fault {
    Errno(Errno),
    Stop(Stop),
}

impl From<Errno> for Fault {
    fn from(errno: Errno) -> Self {
        Self::Errno(errno)
    }
}

impl From<Stop> for Fault {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

pub type Done = std::result::Result<(), Fault>;

/// Turns `None` of a bounds check into the error number for it.
pub fn checked<T>(value: Option<T>) -> std::result::Result<T, Fault> {
    value.ok_or(Fault::Errno(Errno::Fault))
}

/// Runs a function on the guest's memory and state and turns its end into what WASI returns.
pub fn answer(mut caller: Caller<'_, GuestState>, run: impl FnOnce(&mut [u8], &mut GuestState) -> Done) -> Result<i32> {
    let (memory, state) = guest::split(&mut caller)?;
    let done = run(memory, state);
    guest::settle(&mut caller)?;
    match done {
        Ok(()) => Ok(Errno::Success as i32),
        Err(Fault::Errno(errno)) => Ok(errno as i32),
        Err(Fault::Stop(stop)) => Err(stop.into()),
    }
}

pub const MODULE: &str = "wasi_snapshot_preview1";

pub fn define(linker: &mut Linker<GuestState>) -> Result<()> {
    wasi_process::define(linker)?;
    wasi_files::define(linker)?;
    wasi_paths::define(linker)
}
