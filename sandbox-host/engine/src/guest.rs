//! Reading and writing a guest's memory. Every pointer that a guest hands over passes through here and is checked here.
use crate::deadline;
use crate::stop::Stop;
use crate::store::GuestState;
use wasmtime::{AsContextMut, Caller, Extern, Memory, Result as Guest, Trap};

/// Work of the host on a guest's behalf that is paid for at once.
const SETTLED_BYTES: u64 = 1 << 20;

/// Makes the guest pay, one unit of fuel per byte, for what the host did since the last time. Setting the fuel begins a new slice,
/// so the clock is looked at here, too: nothing that a guest asks of the host can hold off its deadline.
pub fn settle(mut guest: impl AsContextMut<Data = GuestState>) -> Guest<()> {
    let mut store = guest.as_context_mut();
    let owed = store.data().host_bytes;
    if owed < SETTLED_BYTES {
        return Ok(());
    }
    store.data_mut().host_bytes = 0;
    let fuel = store.get_fuel()?;
    store.set_fuel(fuel.saturating_sub(owed))?;
    if fuel <= owed {
        return Err(Trap::OutOfFuel.into());
    }
    if deadline::is_over() { Err(Stop::Deadline.into()) } else { Ok(()) }
}

/// The caller's memory and the host's state of it, at the same time.
pub fn split<'a>(caller: &'a mut Caller<'_, GuestState>) -> Result<(&'a mut [u8], &'a mut GuestState), Stop> {
    let memory = memory_of(caller)?;
    Ok(memory.data_and_store_mut(caller))
}

fn memory_of(caller: &mut Caller<'_, GuestState>) -> Result<Memory, Stop> {
    if let Some(memory) = caller.data().memory {
        return Ok(memory);
    }
    // Only before the host could note it: a start function that calls the host.
    match caller.get_export("memory") {
        Some(Extern::Memory(memory)) => Ok(memory),
        _ => Err(Stop::BadPointer),
    }
}

pub fn bytes(memory: &[u8], at: u32, length: u32) -> Option<&[u8]> {
    let start = at as usize;
    memory.get(start..start.checked_add(length as usize)?)
}

pub fn bytes_mut(memory: &mut [u8], at: u32, length: u32) -> Option<&mut [u8]> {
    let start = at as usize;
    memory.get_mut(start..start.checked_add(length as usize)?)
}

pub fn read_u16(memory: &[u8], at: u32) -> Option<u16> {
    Some(u16::from_le_bytes(bytes(memory, at, 2)?.try_into().ok()?))
}

pub fn read_u32(memory: &[u8], at: u32) -> Option<u32> {
    Some(u32::from_le_bytes(bytes(memory, at, 4)?.try_into().ok()?))
}

pub fn read_u64(memory: &[u8], at: u32) -> Option<u64> {
    Some(u64::from_le_bytes(bytes(memory, at, 8)?.try_into().ok()?))
}

pub fn write(memory: &mut [u8], at: u32, value: &[u8]) -> Option<()> {
    bytes_mut(memory, at, u32::try_from(value.len()).ok()?)?.copy_from_slice(value);
    Some(())
}

pub fn write_u32(memory: &mut [u8], at: u32, value: u32) -> Option<()> {
    write(memory, at, &value.to_le_bytes())
}

pub fn write_u64(memory: &mut [u8], at: u32, value: u64) -> Option<()> {
    write(memory, at, &value.to_le_bytes())
}
