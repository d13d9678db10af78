//! Component agents: components of our world (`../guest/agent.wit`), whose one export is `run: func(input: string) -> result<string,
//! string>`. The answer must be JSON, an error is what a script would have thrown. What they may import is in `wasi_imports.rs`.
use crate::deadline::within;
use crate::ending::{Ending, ending_of};
use crate::limits::RunRequest;
use crate::outcome::{GuestError, Status};
use crate::output_json::json_fault;
use crate::stop::Stop;
use crate::store::{GuestState, guest_store};
use crate::wasi_imports::linker_for;
use std::time::{Duration, Instant};
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, ComponentExportIndex, InstancePre};
use wasmtime::{Engine, Error, Result, Store};

type Params = (String,);
type Answer = (std::result::Result<String, String>,);

/// Handles that a component may hold at once; a program with every stream and a few timers holds ten.
const HANDLES_MAX: usize = 1_024;

/// Of linear memory; pages of other sizes are a proposal that is off.
const PAGE_BYTES: u64 = 65_536;

/// What one call may hand to the host at least, whatever the run's limit on output is: a chunk of a log.
const HANDED_BYTES_MIN: usize = 1 << 20;

pub struct ComponentProgram {
    instance_pre: InstancePre<GuestState>,
    run: ComponentExportIndex,
    pub code_bytes: usize,
    pub memory_bytes: u64,
}

impl ComponentProgram {
    pub fn compiled(&self) -> Result<Vec<u8>> {
        self.instance_pre.component().serialize()
    }
}

/// What it imports and exports is checked here, what it costs to compile in `upload.rs`.
pub fn assemble(engine: &Engine, component: &Component) -> Result<ComponentProgram> {
    let run = check_run(engine, component)?;
    let instance_pre = linker_for(engine, component)?.instantiate_pre(component)?;
    let image = component.image_range();
    Ok(ComponentProgram {
        instance_pre,
        run,
        code_bytes: image.end as usize - image.start as usize,
        memory_bytes: component.resources_required().and_then(|needed| needed.max_initial_memory_size).unwrap_or(0) * PAGE_BYTES,
    })
}

fn check_run(engine: &Engine, component: &Component) -> Result<ComponentExportIndex> {
    let ty = component.component_type();
    let wanted = "run: func(input: string) -> result<string, string>";
    match ty.get_export(engine, "run").map(|export| export.ty) {
        Some(ComponentItem::ComponentFunc(function)) if !function.async_() => function
            .typecheck::<Params, Answer>(&ty.instance_type())
            .map_err(|why| Error::msg(format!("the export run is not {wanted}: {why:#}")))?,
        _ => {
            return Err(Error::msg(format!(
                "the component does not export {wanted}, as the world agent-bounty:agent/agent does"
            )));
        }
    }
    component.get_export_index(None, "run").ok_or_else(|| Error::msg("no export run"))
}

/// Returns the ending, the store and when `run` was called; what the component's core modules do when they start comes before that.
pub async fn run(
    engine: &Engine,
    program: &ComponentProgram,
    request: RunRequest,
) -> Result<(Ending, Store<GuestState>, Instant)> {
    let wall = Duration::from_millis(request.limits.wall_ms);
    // In bytes as the guest encodes them, which is at most twice our UTF-8.
    let handed_bytes_max = 2 * request.limits.output_bytes.max(HANDED_BYTES_MIN);
    let mut store = guest_store(engine, request)?;
    store.set_max_component_handles(HANDLES_MAX);
    store.set_hostcall_fuel(handed_bytes_max);
    let input = String::from_utf8(std::mem::take(&mut store.data_mut().input))?;
    let mut started = Instant::now();
    let mut answer = None;
    let result = within(wall, async {
        let instance = program.instance_pre.instantiate_async(&mut store).await?;
        let run = instance.get_typed_func::<Params, Answer>(&mut store, program.run)?;
        started = Instant::now();
        let (told,) = run.call_async(&mut store, (input,)).await?;
        if let Ok(text) = &told {
            store.data_mut().write_output(text.as_bytes())?;
        }
        answer = Some(told);
        Ok(())
    })
    .await;
    let result = result.map(|called| called.map_err(|error| too_much(error, handed_bytes_max)));
    let ending = match ending_of(result) {
        Ending::Returned => finish(&store, answer),
        ended => ended,
    };
    Ok((ending, store, started))
}

fn finish(store: &Store<GuestState>, answer: Option<std::result::Result<String, String>>) -> Ending {
    let message = match answer {
        Some(Ok(_)) => match json_fault(&store.data().output) {
            None => return Ending::Returned,
            Some(why) => format!("the answer is not JSON: {why}"),
        },
        Some(Err(message)) => message,
        None => "exited with code 0 before run returned".into(),
    };
    Ending::Ended(Status::Threw, GuestError::new(message))
}

/// Wasmtime has no type for this error; tests/component.rs notices when its words change.
fn too_much(error: Error, bytes_max: usize) -> Error {
    if error.root_cause().to_string().starts_with("too much data is being copied between the host and the guest") {
        return Stop::OutputLimit(format!("more than {bytes_max} bytes were handed to the host at once")).into();
    }
    error
}
