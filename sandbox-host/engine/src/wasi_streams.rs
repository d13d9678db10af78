//! WASI 0.2 for components, streams: standard input is empty, standard output and error are the run's logs.
use crate::guest::settle;
use crate::stop::Stop;
use crate::store::GuestState;
use crate::wasi_poll::{Pollable, always_ready};
use wasmtime::component::{ComponentType, Lift, LinkerInstance, Lower, Resource, ResourceType, WasmList};
use wasmtime::{Result, StoreContextMut};

/// What `check-write` permits at a time, as hosts commonly do.
const WRITE_BYTES_MAX: u64 = 64 << 10;

/// What representation the two output streams have; the input stream needs none.
const STDOUT: u32 = 1;
const STDERR: u32 = 2;

pub struct IoError;
pub struct InputStream;
pub struct OutputStream;

#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
pub enum StreamError {
    /// Never happens here; it is part of the type.
    #[component(name = "last-operation-failed")]
    LastOperationFailed(Resource<IoError>),
    #[component(name = "closed")]
    Closed,
}

type S<'a> = StoreContextMut<'a, GuestState>;
type I<'a> = LinkerInstance<'a, GuestState>;
type Streamed<T> = Result<(std::result::Result<T, StreamError>,)>;

pub fn define_error(into: &mut I<'_>) -> Result<()> {
    into.resource("error", ResourceType::host::<IoError>(), |_, _| Ok(()))?;
    into.func_wrap("[method]error.to-debug-string", |_: S<'_>, _: (Resource<IoError>,)| Ok(("an error".to_owned(),)))
}

pub fn define_stdin(into: &mut I<'_>) -> Result<()> {
    into.func_wrap("get-stdin", |_: S<'_>, _: ()| Ok((Resource::<InputStream>::new_own(0),)))
}

pub fn define_stdout(into: &mut I<'_>) -> Result<()> {
    into.func_wrap("get-stdout", |_: S<'_>, _: ()| Ok((Resource::<OutputStream>::new_own(STDOUT),)))
}

pub fn define_stderr(into: &mut I<'_>) -> Result<()> {
    into.func_wrap("get-stderr", |_: S<'_>, _: ()| Ok((Resource::<OutputStream>::new_own(STDERR),)))
}

pub fn define_streams(into: &mut I<'_>) -> Result<()> {
    into.resource("input-stream", ResourceType::host::<InputStream>(), |_, _| Ok(()))?;
    into.resource("output-stream", ResourceType::host::<OutputStream>(), |_, _| Ok(()))?;
    define_input(into)?;
    define_output(into)
}

fn define_input(into: &mut I<'_>) -> Result<()> {
    for name in ["[method]input-stream.read", "[method]input-stream.blocking-read"] {
        into.func_wrap(name, |_: S<'_>, _: (Resource<InputStream>, u64)| -> Streamed<Vec<u8>> {
            Ok((Err(StreamError::Closed),))
        })?;
    }
    for name in ["[method]input-stream.skip", "[method]input-stream.blocking-skip"] {
        into.func_wrap(name, |_: S<'_>, _: (Resource<InputStream>, u64)| -> Streamed<u64> { Ok((Err(StreamError::Closed),)) })?;
    }
    into.func_wrap("[method]input-stream.subscribe", |store: S<'_>, _: (Resource<InputStream>,)| subscribe(store))
}

fn define_output(into: &mut I<'_>) -> Result<()> {
    type To = Resource<OutputStream>;
    into.func_wrap("[method]output-stream.check-write", |_: S<'_>, _: (To,)| -> Streamed<u64> { Ok((Ok(WRITE_BYTES_MAX),)) })?;
    for name in ["[method]output-stream.write", "[method]output-stream.blocking-write-and-flush"] {
        into.func_wrap(name, |store: S<'_>, (to, bytes): (To, WasmList<u8>)| -> Streamed<()> {
            write(store, to.rep(), &bytes)?;
            Ok((Ok(()),))
        })?;
    }
    for name in ["[method]output-stream.write-zeroes", "[method]output-stream.blocking-write-zeroes-and-flush"] {
        into.func_wrap(name, |store: S<'_>, (to, count): (To, u64)| -> Streamed<()> {
            if count > WRITE_BYTES_MAX {
                return Err(Stop::Refused(format!("write-zeroes of {count} bytes, permitted were {WRITE_BYTES_MAX}")).into());
            }
            log(store, to.rep(), (vec![0; count as usize], count as usize))?;
            Ok((Ok(()),))
        })?;
    }
    for name in ["[method]output-stream.flush", "[method]output-stream.blocking-flush"] {
        into.func_wrap(name, |_: S<'_>, _: (To,)| -> Streamed<()> { Ok((Ok(()),)) })?;
    }
    for name in ["[method]output-stream.splice", "[method]output-stream.blocking-splice"] {
        into.func_wrap(name, |_: S<'_>, _: (To, Resource<InputStream>, u64)| -> Streamed<u64> {
            Ok((Err(StreamError::Closed),))
        })?;
    }
    into.func_wrap("[method]output-stream.subscribe", |store: S<'_>, _: (To,)| subscribe(store))
}

fn subscribe(store: S<'_>) -> Result<(Resource<Pollable>,)> {
    Ok((always_ready(store),))
}

fn write(store: S<'_>, to: u32, bytes: &WasmList<u8>) -> Result<()> {
    // One byte more than any log keeps tells that something was cut off.
    let all = bytes.as_le_slice(&store);
    let kept = &all[..all.len().min(store.data().limits.log_bytes.saturating_add(1))];
    let taken = (kept.to_vec(), all.len());
    log(store, to, taken)
}

fn log(mut store: S<'_>, to: u32, (bytes, charged): (Vec<u8>, usize)) -> Result<()> {
    let state = store.data_mut();
    state.charge(charged);
    if to == STDERR {
        state.write_stderr(&bytes)
    } else {
        state.write_stdout(&bytes)
    }
    settle(&mut store)
}
