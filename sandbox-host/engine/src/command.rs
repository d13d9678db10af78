//! Command agents: any WASI preview 1 program. Input is stdin, output is stdout, files under /out are artifacts.
use crate::deadline::within;
use crate::ending::{Ending, ending_of};
use crate::file_tree::FileTree;
use crate::limits::RunRequest;
use crate::outcome::{GuestError, Refusal, Status};
use crate::output_json::json_fault;
use crate::store::{GuestState, guest_store};
use crate::upload::check_command;
use crate::wasi;
use std::time::{Duration, Instant};
use wasmtime::{Engine, Error, InstancePre, Linker, Module, ModuleExport, Result, Store};

pub struct Command {
    instance_pre: InstancePre<GuestState>,
    start: ModuleExport,
    memory: ModuleExport,
    pub code_bytes: usize,
    pub memory_bytes: u64,
}

pub fn command_linker(engine: &Engine) -> Result<Linker<GuestState>> {
    let mut linker = Linker::new(engine);
    wasi::define(&mut linker)?;
    Ok(linker)
}

/// Compiles here and now; the seam for compiling strangers' modules in a process of its own is this function.
pub fn prepare(linker: &Linker<GuestState>, wasm: &[u8]) -> Result<Command, Refusal> {
    check_command(wasm).map_err(Refusal::InvalidProgram)?;
    compile(linker, wasm).map_err(|error| Refusal::InvalidProgram(format!("{error:#}")))
}

fn compile(linker: &Linker<GuestState>, wasm: &[u8]) -> Result<Command> {
    let module = Module::new(linker.engine(), wasm)?;
    let instance_pre = linker.instantiate_pre(&module)?;
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
pub async fn run(engine: &Engine, command: &Command, request: RunRequest) -> Result<(Ending, Store<GuestState>, Instant)> {
    let wall = Duration::from_millis(request.limits.wall_ms);
    let files = FileTree::new(request.limits.artifact_count, request.limits.artifact_bytes);
    let mut store = guest_store(engine, request)?;
    store.data_mut().files = Some(Box::new(files));
    let mut started = Instant::now();
    let result = within(wall, async {
        let instance = command.instance_pre.instantiate_async(&mut store).await?;
        let memory = instance.get_module_export(&mut store, &command.memory).and_then(|export| export.into_memory());
        store.data_mut().memory = memory;
        let start = instance.get_module_export(&mut store, &command.start).and_then(|export| export.into_func());
        let start = start.ok_or_else(|| Error::msg("no function _start"))?.typed::<(), ()>(&store)?;
        started = Instant::now();
        start.call_async(&mut store, ()).await
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
