//! What a component may import: WASI 0.2, of which the interfaces below are deterministic stand-ins in memory. The others (files,
//! network) can be imported, because toolchains do so unasked, and end the run when they are called. Anything else is refused by name.
use crate::stop::Stop;
use crate::store::GuestState;
use crate::upload::listed;
use crate::{wasi_poll, wasi_streams, wasi_surroundings};
use std::collections::BTreeSet;
use wasmtime::component::types::{ComponentInstance, ComponentItem};
use wasmtime::component::{Component, Linker, LinkerInstance, ResourceType};
use wasmtime::{Engine, Error, Result};

/// A resource of an interface that we refuse: no value of it ever exists.
pub struct Refused;

/// Defines an interface, in the linker's instance for it.
pub type Define = fn(&mut LinkerInstance<'_, GuestState>) -> Result<()>;

fn stand_in(interface: &str) -> Option<Define> {
    Some(match interface {
        "io/error" => wasi_streams::define_error,
        "io/streams" => wasi_streams::define_streams,
        "cli/stdin" => wasi_streams::define_stdin,
        "cli/stdout" => wasi_streams::define_stdout,
        "cli/stderr" => wasi_streams::define_stderr,
        "io/poll" => wasi_poll::define_poll,
        "clocks/monotonic-clock" => wasi_poll::define_monotonic_clock,
        "clocks/wall-clock" => wasi_poll::define_wall_clock,
        "random/random" => wasi_surroundings::define_random,
        "random/insecure" => wasi_surroundings::define_insecure_random,
        "random/insecure-seed" => wasi_surroundings::define_insecure_seed,
        "cli/environment" => wasi_surroundings::define_environment,
        "cli/exit" => wasi_surroundings::define_exit,
        "cli/terminal-stdin" => wasi_surroundings::define_terminal_stdin,
        "cli/terminal-stdout" => wasi_surroundings::define_terminal_stdout,
        "cli/terminal-stderr" => wasi_surroundings::define_terminal_stderr,
        "filesystem/preopens" => wasi_surroundings::define_preopens,
        _ => return None,
    })
}

/// Interfaces whose functions end the run.
const REFUSED: [&str; 4] = ["filesystem/", "sockets/", "http/", "cli/terminal-"];

/// `wasi:io/streams@0.2.3` is `io/streams`.
fn interface_of(import: &str) -> Option<&str> {
    let (interface, version) = import.strip_prefix("wasi:")?.split_once('@')?;
    let is_known = stand_in(interface).is_some() || REFUSED.iter().any(|start| interface.starts_with(start));
    (is_known && version.starts_with("0.2.")).then_some(interface)
}

/// A linker of this component's own: it names its imports by version.
pub fn linker_for(engine: &Engine, component: &Component) -> Result<Linker<GuestState>> {
    let ty = component.component_type();
    let mut linker = Linker::new(engine);
    linker.allow_shadowing(true);
    let mut foreign = BTreeSet::new();
    let mut resources = Vec::new();
    for (name, import) in ty.imports(engine) {
        match (interface_of(name), import.ty) {
            (Some(interface), ComponentItem::ComponentInstance(instance)) => {
                let mut into = linker.instance(name)?;
                refuse_all(engine, &mut into, (name, &instance), &mut resources)?;
                if let Some(define) = stand_in(interface) {
                    define(&mut into)?;
                }
            }
            _ => {
                foreign.insert(name.to_owned());
            }
        }
    }
    if foreign.is_empty() {
        return Ok(linker);
    }
    Err(Error::msg(format!("the component imports {}; allowed are interfaces of WASI 0.2 only", listed(&foreign))))
}

/// Every function ends the run, every resource that no earlier interface made has no value; stand-ins then take their places.
fn refuse_all(
    engine: &Engine,
    into: &mut LinkerInstance<'_, GuestState>,
    (name, instance): (&str, &ComponentInstance),
    seen: &mut Vec<ResourceType>,
) -> Result<()> {
    for (item, export) in instance.exports(engine) {
        match export.ty {
            ComponentItem::ComponentFunc(_) => {
                let what = format!("{name}#{item} is not there for agents: they have no files and no network");
                into.func_new(item, move |_, _, _, _| Err(Stop::Refused(what.clone()).into()))?;
            }
            ComponentItem::Resource(ty) if !seen.contains(&ty) => {
                into.resource(item, ResourceType::host::<Refused>(), |_, _| Ok(()))?;
                seen.push(ty);
            }
            _ => {}
        }
    }
    Ok(())
}
