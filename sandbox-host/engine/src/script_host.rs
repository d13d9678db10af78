//! What the script engine imports: input, output, logs, artifacts, seed and time for the prelude, and of WASI as much as a
//! C library without files needs.
use crate::guest;
use crate::stop::Stop;
use crate::store::GuestState;
use crate::wasi;
use wasmtime::{Caller, Engine, Linker, Module, Result};

pub fn script_linker(engine: &Engine, module: &Module) -> Result<Linker<GuestState>> {
    let mut linker = Linker::new(engine);
    linker.func_wrap("agent_host", "input", input)?;
    linker.func_wrap("agent_host", "output", output)?;
    linker.func_wrap("agent_host", "call", call)?;
    // All of the world is at UTC.
    linker.func_wrap("env", "host_get_timezone_offset", |_: i32, _: i32| 0i32)?;
    wasi::define(&mut linker)?;
    // Modules and interrupts are never switched on, and two imports are replaced by functions of the driver.
    linker.define_unknown_imports_as_traps(module)?;
    Ok(linker)
}

fn input(mut caller: Caller<'_, GuestState>, at: u32) -> Result<()> {
    let (memory, state) = guest::split(&mut caller)?;
    Ok(guest::write(memory, at, &state.input).ok_or(Stop::BadPointer)?)
}

fn output(mut caller: Caller<'_, GuestState>, at: u32, length: u32) -> Result<()> {
    let (memory, state) = guest::split(&mut caller)?;
    let bytes = guest::bytes(memory, at, length).ok_or(Stop::BadPointer)?;
    // One letter of the prelude's goes before the output itself.
    if bytes.len() > state.limits.output_bytes.saturating_add(1) {
        return Err(
            Stop::OutputLimit(format!("output of {} bytes, allowed are {}", bytes.len() - 1, state.limits.output_bytes)).into()
        );
    }
    state.output = bytes.to_vec();
    Ok(())
}

/// What the prelude asks for, by the first letter of the host function's name.
fn call(
    mut caller: Caller<'_, GuestState>,
    name: u32,
    first: u32,
    first_length: u32,
    second: u32,
    second_length: u32,
) -> Result<f64> {
    guest::settle(&mut caller)?;
    let (memory, state) = guest::split(&mut caller)?;
    state.charge(first_length as usize + second_length as usize);
    let name = *guest::bytes(memory, name, 1).and_then(<[u8]>::first).ok_or(Stop::BadPointer)?;
    let text = guest::bytes(memory, first, first_length).ok_or(Stop::BadPointer)?;
    match name {
        b'o' => state.write_stdout(text),
        b'e' => state.write_stderr(text),
        b's' => return Ok(state.seed as f64),
        b'n' => return Ok(state.clock.read_elapsed_nanos() as f64 / 1e6),
        b't' => {
            let elapsed_ms: f64 = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(0.0);
            state.clock.sleep_until_elapsed((elapsed_ms * 1e6) as u64);
        }
        b'a' => {
            let Some(name) = std::str::from_utf8(text).ok().filter(|name| is_artifact_name(name)) else { return Ok(1.0) };
            let bytes = guest::bytes(memory, second, second_length).ok_or(Stop::BadPointer)?;
            if bytes.len() > state.limits.artifact_bytes {
                let allowed = state.limits.artifact_bytes;
                return Err(Stop::OutputLimit(format!("artifacts of {} bytes, allowed are {allowed}", bytes.len())).into());
            }
            let (name, bytes) = (name.to_owned(), bytes.to_vec());
            state.write_artifact(name, bytes)?;
        }
        other => debug_assert!(false, "the prelude asked for {other}"),
    }
    Ok(0.0)
}

/// A relative path of printable segments, as it may stand in a URL and in a folder.
pub fn is_artifact_name(name: &str) -> bool {
    name.len() <= ARTIFACT_NAME_BYTES_MAX
        && name.split('/').all(|segment| !matches!(segment, "" | "." | ".."))
        && !name.chars().any(|c| c.is_control() || c == '\\')
}

/// As long as a file name may be on common file systems.
pub const ARTIFACT_NAME_BYTES_MAX: usize = 255;
