//! What a stranger's module or component must be before it is compiled: bounded in every count that costs us time; a module imports
//! nothing but WASI preview 1. Reads headers only.
use crate::nesting::Nesting;
use crate::wasi;
use std::collections::BTreeSet;
use wasmparser::{Encoding, ExternalKind, Parser, Payload};

/// The same as `programBytesMax` of `shared/tiers.ts`.
pub const MODULE_BYTES_MAX: usize = 16 << 20;
/// A large Go program has about 20,000; compile time grows with them.
const FUNCTIONS_MAX: u32 = 100_000;
/// What the specification's own limits allow to validators; a Go program that prints one line has 40,000.
const DATA_SEGMENTS_MAX: u32 = 100_000;
const GLOBALS_MAX: u32 = 10_000;
const EXPORTS_MAX: u32 = 10_000;
const IMPORTS_MAX: u32 = 1_000;
/// Modules and components within a component; toolchains make fewer than ten.
const NESTED_MAX: u32 = 64;
/// Names of imports that a message lists.
const NAMES_LISTED: usize = 5;

/// The message says what is wrong and what is allowed.
pub fn check_command(wasm: &[u8]) -> Result<(), String> {
    check_bytes("module", wasm)?;
    let mut counts = Counts::default();
    let mut foreign = BTreeSet::new();
    let mut has_start = false;
    let mut has_memory = false;
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(|error| error.to_string())?;
        counts.add(&payload)?;
        match payload {
            Payload::Version { encoding: Encoding::Component, .. } => {
                return Err("this is a component; a command is a core module that exports _start".into());
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import.map_err(|error| error.to_string())?;
                    if import.module != wasi::MODULE {
                        foreign.insert(format!("{}.{}", import.module, import.name));
                    }
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export.map_err(|error| error.to_string())?;
                    has_start |= export.name == "_start" && export.kind == ExternalKind::Func;
                    has_memory |= export.name == "memory" && export.kind == ExternalKind::Memory;
                }
            }
            _ => {}
        }
    }
    if !foreign.is_empty() {
        return Err(format!("the module imports {}; allowed is {} only", listed(&foreign), wasi::MODULE));
    }
    if !has_start {
        return Err("the module exports no function _start; a command is a WASI preview 1 program".into());
    }
    if !has_memory {
        return Err("the module exports no memory named \"memory\", which WASI preview 1 demands".into());
    }
    Ok(())
}

/// The same bounds, over all the modules that the component holds. What it imports and exports is checked where it is linked.
pub fn check_component(wasm: &[u8]) -> Result<(), String> {
    check_bytes("component", wasm)?;
    let mut counts = Counts::default();
    let mut nesting = Nesting::default();
    let mut is_outermost = true;
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(|error| error.to_string())?;
        if let Payload::Version { encoding, .. } = payload {
            if is_outermost && encoding == Encoding::Module {
                return Err(
                    "this is a core module; deploy a WASI preview 1 program as a command, or make a component of it".into()
                );
            }
            is_outermost = false;
        }
        counts.add(&payload)?;
        nesting.add(&payload)?;
    }
    Ok(())
}

fn check_bytes(what: &str, wasm: &[u8]) -> Result<(), String> {
    if wasm.len() > MODULE_BYTES_MAX {
        return Err(format!("the {what} is {} bytes, allowed are {MODULE_BYTES_MAX}", wasm.len()));
    }
    if !wasm.starts_with(b"\0asm") {
        return Err(format!("this is no WebAssembly {what}: it does not start with \\0asm"));
    }
    Ok(())
}

/// What was found so far, in all modules together.
#[derive(Default)]
struct Counts {
    functions: u32,
    data_segments: u32,
    globals: u32,
    exports: u32,
    imports: u32,
    nested: u32,
}

impl Counts {
    /// Bodies are the compiler's to read.
    fn add(&mut self, payload: &Payload<'_>) -> Result<(), String> {
        match payload {
            Payload::FunctionSection(section) => bounded("functions", &mut self.functions, section.count(), FUNCTIONS_MAX),
            Payload::DataSection(section) => {
                bounded("data segments", &mut self.data_segments, section.count(), DATA_SEGMENTS_MAX)
            }
            Payload::GlobalSection(section) => bounded("globals", &mut self.globals, section.count(), GLOBALS_MAX),
            Payload::ExportSection(section) => bounded("exports", &mut self.exports, section.count(), EXPORTS_MAX),
            Payload::ImportSection(section) => bounded("imports", &mut self.imports, section.count(), IMPORTS_MAX),
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                bounded("modules and components inside", &mut self.nested, 1, NESTED_MAX)
            }
            _ => Ok(()),
        }
    }
}

fn bounded(what: &str, counted: &mut u32, more: u32, allowed: u32) -> Result<(), String> {
    *counted = counted.saturating_add(more);
    if *counted > allowed { Err(format!("the program has {counted} {what}, allowed are {allowed}")) } else { Ok(()) }
}

/// The first names, and how many others there are.
pub fn listed(names: &BTreeSet<String>) -> String {
    let shown: Vec<_> = names.iter().take(NAMES_LISTED).map(String::as_str).collect();
    let more = names.len().saturating_sub(NAMES_LISTED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", shown.join(", "))
}
