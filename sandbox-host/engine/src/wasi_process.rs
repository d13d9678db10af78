//! WASI preview 1: arguments, environment, clock, randomness, waiting, exit; and sockets, of which there are none.
use crate::guest::{bytes, bytes_mut, read_u16, read_u32, read_u64, write, write_u32, write_u64};
use crate::stop::Stop;
use crate::store::GuestState;
use crate::wasi::{Done, Errno, Fault, MODULE, answer, checked};
use wasmtime::{Caller, Linker, Result};

/// The name under which a command is started.
const PROGRAM_NAME: &str = "agent";

type C<'a> = Caller<'a, GuestState>;

pub fn define(linker: &mut Linker<GuestState>) -> Result<()> {
    linker.func_wrap(MODULE, "args_sizes_get", |c: C<'_>, count: u32, size: u32| {
        answer(c, |m, s| args_sizes_get(m, s, count, size))
    })?;
    linker.func_wrap(MODULE, "args_get", |c: C<'_>, argv: u32, text: u32| answer(c, |m, s| args_get(m, s, argv, text)))?;
    linker.func_wrap(MODULE, "environ_sizes_get", |c: C<'_>, count: u32, size: u32| {
        answer(c, |m, _| {
            checked(write_u32(m, count, 0))?;
            checked(write_u32(m, size, 0))
        })
    })?;
    linker.func_wrap(MODULE, "environ_get", |_: u32, _: u32| Errno::Success as i32)?;
    linker.func_wrap(MODULE, "clock_res_get", |c: C<'_>, id: u32, to: u32| {
        answer(c, |m, _| {
            clock(id)?;
            checked(write_u64(m, to, 1_000))
        })
    })?;
    linker.func_wrap(MODULE, "clock_time_get", |c: C<'_>, id: u32, _precision: u64, to: u32| {
        answer(c, |m, s| clock_time_get(m, s, id, to))
    })?;
    linker.func_wrap(MODULE, "random_get", |c: C<'_>, at: u32, length: u32| {
        answer(c, |m, s| {
            s.charge(length as usize);
            s.random.fill(checked(bytes_mut(m, at, length))?);
            Ok(())
        })
    })?;
    linker.func_wrap(MODULE, "poll_oneoff", |c: C<'_>, subscriptions: u32, events: u32, count: u32, ready: u32| {
        answer(c, |m, s| poll_oneoff(m, s, Poll { subscriptions, events, count, ready }))
    })?;
    linker.func_wrap(MODULE, "proc_exit", |code: u32| -> Result<()> { Err(Stop::Exit(code).into()) })?;
    linker.func_wrap(MODULE, "proc_raise", |_: u32| Errno::Nosys as i32)?;
    linker.func_wrap(MODULE, "sched_yield", || Errno::Success as i32)?;
    linker.func_wrap(MODULE, "sock_accept", |_: u32, _: u32, _: u32| Errno::Notsock as i32)?;
    linker.func_wrap(MODULE, "sock_recv", |_: u32, _: u32, _: u32, _: u32, _: u32, _: u32| Errno::Notsock as i32)?;
    linker.func_wrap(MODULE, "sock_send", |_: u32, _: u32, _: u32, _: u32, _: u32| Errno::Notsock as i32)?;
    linker.func_wrap(MODULE, "sock_shutdown", |_: u32, _: u32| Errno::Notsock as i32)?;
    Ok(())
}

fn arguments(state: &GuestState) -> impl Iterator<Item = &str> {
    std::iter::once(PROGRAM_NAME).chain(state.args.iter().map(String::as_str))
}

fn args_sizes_get(memory: &mut [u8], state: &mut GuestState, count: u32, size: u32) -> Done {
    let bytes: usize = arguments(state).map(|argument| argument.len() + 1).sum();
    checked(write_u32(memory, count, arguments(state).count() as u32))?;
    checked(write_u32(memory, size, bytes as u32))
}

fn args_get(memory: &mut [u8], state: &mut GuestState, mut argv: u32, mut text: u32) -> Done {
    for argument in arguments(state) {
        checked(write_u32(memory, argv, text))?;
        checked(write(memory, text, argument.as_bytes()))?;
        let end = checked(text.checked_add(argument.len() as u32))?;
        checked(write(memory, end, &[0]))?;
        text = checked(end.checked_add(1))?;
        argv = checked(argv.checked_add(4))?;
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Clock {
    Realtime,
    /// Monotonic, process and thread time are one: the time since the start of the run.
    SinceStart,
}

fn clock(id: u32) -> std::result::Result<Clock, Fault> {
    match id {
        0 => Ok(Clock::Realtime),
        1..=3 => Ok(Clock::SinceStart),
        _ => Err(Errno::Inval.into()),
    }
}

fn clock_time_get(memory: &mut [u8], state: &mut GuestState, id: u32, to: u32) -> Done {
    let nanos = read_clock(state, clock(id)?);
    checked(write_u64(memory, to, nanos))
}

fn read_clock(state: &mut GuestState, clock: Clock) -> u64 {
    match clock {
        Clock::Realtime => state.clock.read_nanos(),
        Clock::SinceStart => state.clock.read_elapsed_nanos(),
    }
}

struct Poll {
    subscriptions: u32,
    events: u32,
    count: u32,
    ready: u32,
}

/// Sizes and offsets of `subscription` and `event` in the published witx.
const SUBSCRIPTION_BYTES: u32 = 48;
const EVENT_BYTES: u32 = 32;
const EVENT_CLOCK: u8 = 0;
/// A bound for the host's own loop.
const SUBSCRIPTIONS_MAX: u32 = 1_024;

/// Descriptors are always ready. Without one, the clock jumps to the nearest timer, and that one is reported.
fn poll_oneoff(memory: &mut [u8], state: &mut GuestState, poll: Poll) -> Done {
    if poll.count == 0 || poll.count > SUBSCRIPTIONS_MAX {
        return Err(Errno::Inval.into());
    }
    state.charge((poll.count * SUBSCRIPTION_BYTES) as usize);
    let mut ready: Vec<([u8; 8], u8)> = Vec::new();
    let mut nearest: Option<(u64, [u8; 8])> = None;
    for number in 0..poll.count {
        let at = checked(poll.subscriptions.checked_add(number * SUBSCRIPTION_BYTES))?;
        let subscription = checked(bytes(memory, at, SUBSCRIPTION_BYTES))?;
        let mut userdata = [0; 8];
        userdata.copy_from_slice(&subscription[..8]);
        match subscription[8] {
            EVENT_CLOCK => {
                let wait = wait_nanos(subscription, state)?;
                if nearest.is_none_or(|(other, _)| wait < other) {
                    nearest = Some((wait, userdata));
                }
            }
            kind @ (1 | 2) => ready.push((userdata, kind)),
            _ => return Err(Errno::Inval.into()),
        }
    }
    if ready.is_empty()
        && let Some((wait, userdata)) = nearest
    {
        state.clock.sleep_nanos(wait);
        ready.push((userdata, EVENT_CLOCK));
    }
    for (number, (userdata, kind)) in ready.iter().enumerate() {
        let mut event = [0; EVENT_BYTES as usize];
        event[..8].copy_from_slice(userdata);
        event[10] = *kind;
        checked(write(memory, checked(poll.events.checked_add(number as u32 * EVENT_BYTES))?, &event))?;
    }
    checked(write_u32(memory, poll.ready, ready.len() as u32))
}

fn wait_nanos(subscription: &[u8], state: &mut GuestState) -> std::result::Result<u64, Fault> {
    let clock = clock(checked(read_u32(subscription, 16))?)?;
    let timeout = checked(read_u64(subscription, 24))?;
    let is_absolute = checked(read_u16(subscription, 40))? & 1 == 1;
    Ok(if is_absolute { timeout.saturating_sub(read_clock(state, clock)) } else { timeout })
}
