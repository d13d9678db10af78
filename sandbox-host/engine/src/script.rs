//! Script agents: prepared once by evaluating their module, then run any number of times from the snapshot of that.
use crate::deadline::within;
use crate::ending::{Ending, ending_of};
use crate::limits::{RunLimits, RunRequest};
use crate::outcome::{GuestError, Refusal, Status};
use crate::script_answer::Answer;
use crate::script_image::{START_TIME_MS, ScriptImage};
use crate::script_program::ScriptProgram;
use crate::snapshot::Snapshot;
use crate::store::{GuestState, begin, guest_store};
use crate::warm::{Entry, WarmInstance, warm_store};
use std::time::{Duration, Instant};
use wasmtime::{Engine, Error, Instance, ModuleExport, Result, Store, TypedFunc};

/// Evaluates the module at seed 0 and the default time, under the limits.
pub async fn prepare(
    engine: &Engine,
    image: &ScriptImage,
    source: String,
    limits: RunLimits,
) -> Result<Result<Snapshot, Refusal>> {
    let length = source.len() as i32;
    let wall = Duration::from_millis(limits.wall_ms);
    let request = RunRequest { input: source, seed: 0, start_time_ms: START_TIME_MS, limits, args: Vec::new() };
    let mut store = guest_store(engine, request)?;
    // The prelude's answer is not the agent's output.
    store.data_mut().limits.output_bytes = MESSAGE_BYTES_MAX;
    let result = within(wall, async {
        let instance = instantiate(image, &mut store).await?;
        driver(&mut store, instance, &image.load)?.call_async(&mut store, length).await
    })
    .await;
    Ok(match ending_of(result) {
        Ending::Returned => match Answer::decode(&store.data().output) {
            Answer::Loaded => Ok(Snapshot::take(&image.bytes, memory_of(&store))),
            Answer::Threw(error) => Err(Refusal::InvalidProgram(describe(&error))),
            Answer::Completed(_) => {
                Err(Refusal::InvalidProgram("the module ended in a way that the engine does not know".into()))
            }
        },
        Ending::Ended(Status::Trapped | Status::Threw, error) => Err(Refusal::InvalidProgram(error.message)),
        Ending::Ended(_, error) => Err(Refusal::Limit(format!("while its top level ran: {}", error.message))),
    })
}

/// Returns the ending, the store and when the guest's first instruction ran.
pub async fn run(
    engine: &Engine,
    image: &ScriptImage,
    script: &ScriptProgram,
    request: RunRequest,
    warm: Option<WarmInstance>,
) -> Result<(Ending, Store<GuestState>, Instant)> {
    let length = request.input.len() as i32;
    let wall = Duration::from_millis(request.limits.wall_ms);
    let (mut store, entry) = match warm {
        Some(WarmInstance { mut store, entry: Entry::Script(entry), .. }) => {
            begin(&mut store, request)?;
            (store, Some(entry))
        }
        _ => (guest_store(engine, request)?, None),
    };
    let mut started = Instant::now();
    let result = within(wall, async {
        let entry = match entry {
            Some(entry) => entry,
            None => {
                let instance = restore(image, script, &mut store).await?;
                driver(&mut store, instance, &image.run)?
            }
        };
        started = Instant::now();
        entry.call_async(&mut store, length).await
    })
    .await;
    let ending = match ending_of(result) {
        Ending::Returned => finish(&mut store),
        ended => ended,
    };
    Ok((ending, store, started))
}

/// For tests: what is on the heap at the end, as `heap_counts` of `compiled.c` tells it: allocations, atoms, strings, objects, properties.
pub type HeapCounts = [u64; 5];

/// For tests: one run, and what it leaves on its heap once cycles are collected; nothing if it was stopped.
pub async fn run_counted(
    engine: &Engine,
    image: &ScriptImage,
    script: &ScriptProgram,
    request: RunRequest,
) -> Result<(Ending, Store<GuestState>, Option<HeapCounts>)> {
    let length = request.input.len() as i32;
    let wall = Duration::from_millis(request.limits.wall_ms);
    let mut store = guest_store(engine, request)?;
    let instance = restore(image, script, &mut store).await?;
    let entry = driver(&mut store, instance, &image.run)?;
    let result = within(wall, async { entry.call_async(&mut store, length).await }).await;
    let ending = match ending_of(result) {
        Ending::Returned => finish(&mut store),
        ended => return Ok((ended, store, None)),
    };
    let count = instance.get_typed_func::<(), i32>(&mut store, "heap_counts")?;
    let at = count.call_async(&mut store, ()).await? as usize;
    let counts = memory_of(&store).get(at..at + size_of::<HeapCounts>()).ok_or_else(|| Error::msg("no counts"))?;
    let counts = counts.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect::<Vec<_>>().try_into().ok();
    Ok((ending, store, counts))
}

/// An instance that only lacks its input.
pub async fn warm(engine: &Engine, image: &ScriptImage, script: &ScriptProgram, memory_bytes_max: usize) -> Result<WarmInstance> {
    let mut store = warm_store(engine, memory_bytes_max)?;
    let instance = restore(image, script, &mut store).await?;
    let entry = driver(&mut store, instance, &image.run)?;
    Ok(WarmInstance::new(store, Entry::Script(entry)))
}

async fn restore(image: &ScriptImage, script: &ScriptProgram, store: &mut Store<GuestState>) -> Result<Instance> {
    let instance = instantiate(image, store).await?;
    let memory = store.data().memory.ok_or_else(|| Error::msg("no memory"))?;
    script.snapshot.restore(&mut *store, memory)?;
    if let Some(code) = &script.code {
        image.link(store, instance, code).await?;
    }
    Ok(instance)
}

/// Turns the prelude's answer into the run's: what is left in the state's output is the guest's.
fn finish(store: &mut Store<GuestState>) -> Ending {
    match Answer::decode(&store.data().output) {
        Answer::Completed(output) => {
            store.data_mut().output = output;
            Ending::Returned
        }
        Answer::Threw(error) => Ending::Ended(Status::Threw, error),
        Answer::Loaded => Ending::Ended(Status::Trapped, GuestError::new("the script engine answered out of turn")),
    }
}

async fn instantiate(image: &ScriptImage, store: &mut Store<GuestState>) -> Result<Instance> {
    let instance = image.instance_pre.instantiate_async(&mut *store).await?;
    let memory = instance.get_module_export(&mut *store, &image.memory).and_then(|export| export.into_memory());
    store.data_mut().memory = memory;
    Ok(instance)
}

fn driver(store: &mut Store<GuestState>, instance: Instance, export: &ModuleExport) -> Result<TypedFunc<i32, ()>> {
    let function = instance.get_module_export(&mut *store, export).and_then(|export| export.into_func());
    function.ok_or_else(|| Error::msg("no driver function"))?.typed::<i32, ()>(&*store)
}

fn memory_of(store: &Store<GuestState>) -> &[u8] {
    store.data().memory.map_or(&[], |memory| memory.data(store))
}

fn describe(error: &GuestError) -> String {
    // QuickJS's words; it has no loader to ask.
    if error.message.starts_with("could not load module") {
        return format!("{}: nothing can be imported at run time, so imports must be bundled into the module", error.message);
    }
    let name = error.name.as_deref().unwrap_or("Error");
    // The first line of a stack tells where a syntax error is.
    let place = error.stack.as_deref().and_then(|stack| stack.lines().next()).map(str::trim).unwrap_or_default();
    if place.is_empty() { format!("{name}: {}", error.message) } else { format!("{name}: {} ({place})", error.message) }
}

/// Room for the message and the stack of a module that throws.
const MESSAGE_BYTES_MAX: usize = 64 << 10;
