//! WASI 0.2 for components, what surrounds a program: seeded randomness, an empty environment, an exit, no terminal, no folders.
use crate::guest::settle;
use crate::stop::Stop;
use crate::store::GuestState;
use crate::wasi_imports::Refused;
use wasmtime::component::{LinkerInstance, Resource};
use wasmtime::{Result, StoreContextMut};

/// Random bytes that one call may ask for; the host makes them before the guest takes them.
const RANDOM_BYTES_MAX: u64 = 1 << 20;

type S<'a> = StoreContextMut<'a, GuestState>;
type I<'a> = LinkerInstance<'a, GuestState>;

pub fn define_random(into: &mut I<'_>) -> Result<()> {
    random_as(into, "get-random-bytes", "get-random-u64")
}

pub fn define_insecure_random(into: &mut I<'_>) -> Result<()> {
    random_as(into, "get-insecure-random-bytes", "get-insecure-random-u64")
}

fn random_as(into: &mut I<'_>, bytes: &str, number: &str) -> Result<()> {
    into.func_wrap(bytes, |store: S<'_>, (count,): (u64,)| Ok((random_bytes(store, count)?,)))?;
    into.func_wrap(number, |mut store: S<'_>, _: ()| Ok((store.data_mut().random.next_u64(),)))
}

fn random_bytes(mut store: S<'_>, count: u64) -> Result<Vec<u8>> {
    if count > RANDOM_BYTES_MAX {
        return Err(Stop::Refused(format!("{count} random bytes in one call, allowed are {RANDOM_BYTES_MAX}")).into());
    }
    let mut bytes = vec![0; count as usize];
    store.data_mut().charge(bytes.len());
    store.data_mut().random.fill(&mut bytes);
    settle(&mut store)?;
    Ok(bytes)
}

pub fn define_insecure_seed(into: &mut I<'_>) -> Result<()> {
    into.func_wrap("insecure-seed", |mut store: S<'_>, _: ()| {
        let random = &mut store.data_mut().random;
        Ok(((random.next_u64(), random.next_u64()),))
    })
}

pub fn define_environment(into: &mut I<'_>) -> Result<()> {
    into.func_wrap("get-environment", |_: S<'_>, _: ()| Ok((Vec::<(String, String)>::new(),)))?;
    into.func_wrap("get-arguments", |_: S<'_>, _: ()| Ok((Vec::<String>::new(),)))?;
    into.func_wrap("initial-cwd", |_: S<'_>, _: ()| Ok((None::<String>,)))
}

pub fn define_exit(into: &mut I<'_>) -> Result<()> {
    into.func_wrap("exit", |_: S<'_>, (status,): (std::result::Result<(), ()>,)| -> Result<()> {
        Err(Stop::Exit(u32::from(status.is_err())).into())
    })?;
    into.func_wrap("exit-with-code", |_: S<'_>, (code,): (u8,)| -> Result<()> { Err(Stop::Exit(u32::from(code)).into()) })
}

pub fn define_terminal_stdin(into: &mut I<'_>) -> Result<()> {
    no_terminal(into, "get-terminal-stdin")
}

pub fn define_terminal_stdout(into: &mut I<'_>) -> Result<()> {
    no_terminal(into, "get-terminal-stdout")
}

pub fn define_terminal_stderr(into: &mut I<'_>) -> Result<()> {
    no_terminal(into, "get-terminal-stderr")
}

fn no_terminal(into: &mut I<'_>, name: &str) -> Result<()> {
    into.func_wrap(name, |_: S<'_>, _: ()| Ok((None::<Resource<Refused>>,)))
}

pub fn define_preopens(into: &mut I<'_>) -> Result<()> {
    into.func_wrap("get-directories", |_: S<'_>, _: ()| Ok((Vec::<(Resource<Refused>, String)>::new(),)))
}
