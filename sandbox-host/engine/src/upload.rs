//! What a stranger's module must be before it is compiled: bounded in every count that costs us time, and importing nothing
//! but WASI preview 1. Reads headers only.
use crate::wasi;
use std::collections::BTreeSet;
use wasmparser::{ExternalKind, Parser, Payload};

/// A program may be 8 MiB (`programBytesMax` of `shared/tiers.ts`); twice that leaves room for what a toolchain adds.
pub const MODULE_BYTES_MAX: usize = 16 << 20;
/// A large Go program has about 20,000; compile time grows with them.
const FUNCTIONS_MAX: u32 = 100_000;
/// What the specification's own limits allow to validators; a Go program that prints one line has 40,000.
const DATA_SEGMENTS_MAX: u32 = 100_000;
const GLOBALS_MAX: u32 = 10_000;
const EXPORTS_MAX: u32 = 10_000;
const IMPORTS_MAX: u32 = 1_000;
/// Names of imports that a message lists.
const NAMES_LISTED: usize = 5;

/// The message says what is wrong and what is allowed.
pub fn check_command(wasm: &[u8]) -> Result<(), String> {
    if wasm.len() > MODULE_BYTES_MAX {
        return Err(format!("the module is {} bytes, allowed are {MODULE_BYTES_MAX}", wasm.len()));
    }
    if !wasm.starts_with(b"\0asm") {
        return Err("this is no WebAssembly module: it does not start with \\0asm".into());
    }
    let mut foreign = BTreeSet::new();
    let mut has_start = false;
    let mut has_memory = false;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.map_err(|error| error.to_string())? {
            Payload::Version { encoding: wasmparser::Encoding::Component, .. } => {
                return Err("this is a component; a command is a core module that exports _start".into());
            }
            Payload::FunctionSection(section) => bounded("functions", section.count(), FUNCTIONS_MAX)?,
            Payload::DataSection(section) => bounded("data segments", section.count(), DATA_SEGMENTS_MAX)?,
            Payload::GlobalSection(section) => bounded("globals", section.count(), GLOBALS_MAX)?,
            Payload::ImportSection(section) => {
                bounded("imports", section.count(), IMPORTS_MAX)?;
                for import in section.into_imports() {
                    let import = import.map_err(|error| error.to_string())?;
                    if import.module != wasi::MODULE {
                        foreign.insert(format!("{}.{}", import.module, import.name));
                    }
                }
            }
            Payload::ExportSection(section) => {
                bounded("exports", section.count(), EXPORTS_MAX)?;
                for export in section {
                    let export = export.map_err(|error| error.to_string())?;
                    has_start |= export.name == "_start" && export.kind == ExternalKind::Func;
                    has_memory |= export.name == "memory" && export.kind == ExternalKind::Memory;
                }
            }
            // Bodies are the compiler's to read.
            Payload::CodeSectionEntry(_) => {}
            _ => {}
        }
    }
    if !foreign.is_empty() {
        let listed: Vec<_> = foreign.iter().take(NAMES_LISTED).map(String::as_str).collect();
        let more = foreign.len().saturating_sub(NAMES_LISTED);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        return Err(format!("the module imports {}{more}; allowed is {} only", listed.join(", "), wasi::MODULE));
    }
    if !has_start {
        return Err("the module exports no function _start; a command is a WASI preview 1 program".into());
    }
    if !has_memory {
        return Err("the module exports no memory named \"memory\", which WASI preview 1 demands".into());
    }
    Ok(())
}

fn bounded(what: &str, count: u32, allowed: u32) -> Result<(), String> {
    if count > allowed { Err(format!("the module has {count} {what}, allowed are {allowed}")) } else { Ok(()) }
}
