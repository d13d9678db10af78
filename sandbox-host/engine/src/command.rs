//! Command agents: any WASI preview 1 program. Input is stdin, output is stdout, files under /out are artifacts.
use crate::deadline::{YIELD_FUEL, within};
use crate::ending::{Ending, ending_of};
use crate::file_tree::FileTree;
use crate::limits::RunRequest;
use crate::outcome::{GuestError, Status};
use crate::output_json::json_fault;
use crate::store::{GuestState, begin, guest_store};
use crate::warm::{Entry, WarmInstance, warm_store};
use crate::wasi;
use std::time::{Duration, Instant};
use wasmtime::{Engine, Error, InstancePre, Linker, Module, ModuleExport, Result, Store, TypedFunc};

pub struct Command {
    instance_pre: InstancePre<GuestState>,
    start: ModuleExport,
    memory: ModuleExport,
    pub code_bytes: usize,
    pub memory_bytes: u64,
}

impl Command {
    pub fn compiled(&self) -> Result<Vec<u8>> {
        self.instance_pre.module().serialize()
    }
}

pub fn command_linker(engine: &Engine) -> Result<Linker<GuestState>> {
    let mut linker = Linker::new(engine);
    wasi::define(&mut linker)?;
    Ok(linker)
}

/// What it imports and exports is checked here, what it costs to compile in `upload.rs`.
pub fn assemble(linker: &Linker<GuestState>, module: &Module) -> Result<Command> {
    let instance_pre = linker.instantiate_pre(module)?;
    let export = |name: &str| module.get_export_index(name).ok_or_else(|| Error::msg(format!("no export {name}")));
    let memory_bytes = module.get_export("memory").and_then(|ty| ty.memory().map(|memory| memory.minimum() * memory.page_size()));
    let image = module.image_range();
    Ok(Command {
        start: export("_start")?,
        memory: export("memory")?,
        code_bytes: image.end as usize - image.start as usize,
        memory_bytes: memory_bytes.unwrap_or(0),
        instance_pre,
    })
}

/// Returns the ending, the store and when the guest's first instruction ran.
pub async fn run(
    engine: &Engine,
    command: &Command,
    request: RunRequest,
    warm: Option<WarmInstance>,
) -> Result<(Ending, Store<GuestState>, Instant)> {
    let wall = Duration::from_millis(request.limits.wall_ms);
    let files = FileTree::new(request.limits.artifact_count, request.limits.artifact_bytes);
    let (mut store, entry) = match warm {
        Some(WarmInstance { mut store, entry: Entry::Command(entry), .. }) => {
            begin(&mut store, request)?;
            (store, Some(entry))
        }
        _ => (guest_store(engine, request)?, None),
    };
    store.data_mut().files = Some(Box::new(files));
    let mut started = Instant::now();
    let result = within(wall, async {
        let entry = match entry {
            Some(entry) => entry,
            None => instantiate(command, &mut store).await?,
        };
        started = Instant::now();
        entry.call_async(&mut store, ()).await
    })
    .await;
    let ending = match ending_of(result) {
        Ending::Returned => finish(&mut store),
        ended => ended,
    };
    if let Some(files) = store.data_mut().files.take() {
        store.data_mut().artifacts = files.into_artifacts();
    }
    Ok((ending, store, started))
}

/// Without limits, files, deadline and outcome: what the rest is compared with.
pub async fn run_raw(engine: &Engine, command: &Command, request: RunRequest) -> Result<()> {
    let files = FileTree::new(request.limits.artifact_count, request.limits.artifact_bytes);
    let mut store = Store::new(engine, GuestState::new(request));
    store.set_fuel(u64::MAX / 2)?;
    store.fuel_async_yield_interval(Some(YIELD_FUEL))?;
    // Without files and memory its input could not be read, and it would do other work.
    store.data_mut().files = Some(Box::new(files));
    instantiate(command, &mut store).await?.call_async(&mut store, ()).await
}

/// An instance that only lacks its input. An error for a module that runs code when it is instantiated.
pub async fn warm(engine: &Engine, command: &Command, memory_bytes_max: usize) -> Result<WarmInstance> {
    let mut store = warm_store(engine, memory_bytes_max)?;
    let entry = instantiate(command, &mut store).await?;
    Ok(WarmInstance::new(store, Entry::Command(entry)))
}

async fn instantiate(command: &Command, store: &mut Store<GuestState>) -> Result<TypedFunc<(), ()>> {
    let instance = command.instance_pre.instantiate_async(&mut *store).await?;
    let memory = instance.get_module_export(&mut *store, &command.memory).and_then(|export| export.into_memory());
    store.data_mut().memory = memory;
    let start = instance.get_module_export(&mut *store, &command.start).and_then(|export| export.into_func());
    start.ok_or_else(|| Error::msg("no function _start"))?.typed::<(), ()>(&*store)
}

/// stdout must be JSON; nothing at all is null.
fn finish(store: &mut Store<GuestState>) -> Ending {
    let output = &mut store.data_mut().output;
    if output.trim_ascii().is_empty() {
        *output = b"null".to_vec();
        return Ending::Returned;
    }
    match json_fault(output) {
        None => {
            *output = output.trim_ascii().to_vec();
            Ending::Returned
        }
        Some(why) => Ending::Ended(Status::Threw, GuestError::new(format!("stdout is not JSON: {why}"))),
    }
}
