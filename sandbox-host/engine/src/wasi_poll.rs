//! WASI 0.2 for components, time and waiting: the virtual clock, which jumps to whatever is waited for.
use crate::guest::settle;
use crate::stop::Stop;
use crate::store::GuestState;
use std::collections::BTreeMap;
use wasmtime::component::{ComponentType, Lift, LinkerInstance, Lower, Resource, ResourceType};
use wasmtime::{Result, StoreContextMut};

/// A resource; what it waits for is in `Pollables`, by its representation.
pub struct Pollable;

/// When each is ready, in nanoseconds since the start. As many as the component may hold handles, at most.
#[derive(Default)]
pub struct Pollables {
    wakes: BTreeMap<u32, u64>,
    made: u32,
}

impl Pollables {
    fn add(&mut self, wake: u64) -> Resource<Pollable> {
        self.made = self.made.wrapping_add(1);
        self.wakes.insert(self.made, wake);
        Resource::new_own(self.made)
    }

    fn wake(&self, pollable: &Resource<Pollable>) -> u64 {
        self.wakes.get(&pollable.rep()).copied().unwrap_or(0)
    }
}

#[derive(ComponentType, Lift, Lower)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

/// Work for the host of one look at a pollable, as bytes.
const LOOK_BYTES: usize = 64;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// What both clocks resolve, in nanoseconds: the step of `VirtualClock`.
const RESOLUTION_NANOS: u64 = 1_000;

type S<'a> = StoreContextMut<'a, GuestState>;
type I<'a> = LinkerInstance<'a, GuestState>;

pub fn always_ready(mut store: S<'_>) -> Resource<Pollable> {
    store.data_mut().pollables.add(0)
}

pub fn define_poll(into: &mut I<'_>) -> Result<()> {
    into.resource("pollable", ResourceType::host::<Pollable>(), |mut store, rep| {
        store.data_mut().pollables.wakes.remove(&rep);
        Ok(())
    })?;
    into.func_wrap("[method]pollable.ready", |mut store: S<'_>, (pollable,): (Resource<Pollable>,)| {
        let state = store.data_mut();
        Ok((state.clock.read_elapsed_nanos() >= state.pollables.wake(&pollable),))
    })?;
    into.func_wrap("[method]pollable.block", |mut store: S<'_>, (pollable,): (Resource<Pollable>,)| {
        let state = store.data_mut();
        state.clock.sleep_until_elapsed(state.pollables.wake(&pollable));
        Ok(())
    })?;
    into.func_wrap("poll", |store: S<'_>, (all,): (Vec<Resource<Pollable>>,)| Ok((poll(store, &all)?,)))
}

/// Indices of those that are ready; when none is, time passes until the first will be.
fn poll(mut store: S<'_>, all: &[Resource<Pollable>]) -> Result<Vec<u32>> {
    let state = store.data_mut();
    state.charge(all.len() * LOOK_BYTES);
    let Some(first) = all.iter().map(|pollable| state.pollables.wake(pollable)).min() else {
        return Err(Stop::Refused("wasi:io/poll#poll of an empty list".into()).into());
    };
    state.clock.sleep_until_elapsed(first);
    let now = state.clock.read_elapsed_nanos();
    let ready = |(_, pollable): &(usize, &Resource<Pollable>)| state.pollables.wake(pollable) <= now;
    let indices = all.iter().enumerate().filter(ready).map(|(index, _)| index as u32).collect();
    settle(&mut store)?;
    Ok(indices)
}

pub fn define_monotonic_clock(into: &mut I<'_>) -> Result<()> {
    into.func_wrap("now", |mut store: S<'_>, _: ()| Ok((store.data_mut().clock.read_elapsed_nanos(),)))?;
    into.func_wrap("resolution", |_: S<'_>, _: ()| Ok((RESOLUTION_NANOS,)))?;
    into.func_wrap("subscribe-instant", |mut store: S<'_>, (wake,): (u64,)| Ok((store.data_mut().pollables.add(wake),)))?;
    into.func_wrap("subscribe-duration", |mut store: S<'_>, (nanos,): (u64,)| {
        let state = store.data_mut();
        let wake = state.clock.read_elapsed_nanos().saturating_add(nanos);
        Ok((state.pollables.add(wake),))
    })
}

pub fn define_wall_clock(into: &mut I<'_>) -> Result<()> {
    into.func_wrap("now", |mut store: S<'_>, _: ()| Ok((datetime(store.data_mut().clock.read_nanos()),)))?;
    into.func_wrap("resolution", |_: S<'_>, _: ()| Ok((datetime(RESOLUTION_NANOS),)))
}

fn datetime(nanos: u64) -> Datetime {
    Datetime { seconds: nanos / NANOS_PER_SECOND, nanoseconds: (nanos % NANOS_PER_SECOND) as u32 }
}
