//! A script at rest: its snapshot and, where its functions were compiled, their machine code, which belongs to exactly this snapshot, with a
//! report of what was compiled. The stored form of one that is interpreted is its snapshot's; of one that went through the compiler, numbers
//! being little-endian u64:
//!
//! ```text
//! "agtcode2" | number of functions | lengths of snapshot and report | snapshot | report | machine code, if there are functions
//! ```
use crate::engine::compiler_engine;
use crate::script_compiler::{self, Failure, Prepared, Report, Settings, SideModule, Tables};
use crate::snapshot::Snapshot;
use std::collections::{BTreeSet, HashSet};
use wasmtime::{Engine, Error, Module, Result};

const MARK: &[u8; 8] = b"agtcode2";
const INPUT_MARK: &[u8; 8] = b"agtwork1";

pub struct ScriptProgram {
    pub snapshot: Snapshot,
    pub code: Option<ScriptCode>,
    /// `Report::json` of what went through the compiler.
    pub report: Option<Box<str>>,
}

pub struct ScriptCode {
    pub module: Module,
    /// Entries that it adds to the engine's table.
    pub functions: u32,
    stored: Box<[u8]>,
}

impl ScriptProgram {
    pub fn interpreted(snapshot: Snapshot) -> Self {
        Self { snapshot, code: None, report: None }
    }

    pub fn stored(&self) -> Vec<u8> {
        let snapshot = self.snapshot.encode();
        match (&self.code, &self.report) {
            (Some(code), Some(report)) => encode(code.functions, &snapshot, report, &code.stored),
            (None, Some(report)) => encode(0, &snapshot, report, &[]),
            (_, None) => snapshot,
        }
    }

    /// # Safety
    /// It is machine code: it must come from `stored` or from `compile` of this build, by a way that nobody else can write to.
    pub unsafe fn load(engine: &Engine, stored: &[u8]) -> Result<Self> {
        let Some(rest) = stored.strip_prefix(MARK) else {
            return Snapshot::decode(stored).map(Self::interpreted).map_err(Error::msg);
        };
        let damaged = || Error::msg("the compiled script is damaged");
        let (functions, rest) = number(rest).ok_or_else(damaged)?;
        let (snapshot_length, rest) = number(rest).ok_or_else(damaged)?;
        let (report_length, rest) = number(rest).ok_or_else(damaged)?;
        let (snapshot, rest) = rest.split_at_checked(snapshot_length).ok_or_else(damaged)?;
        let (report, code) = rest.split_at_checked(report_length).ok_or_else(damaged)?;
        let report = str::from_utf8(report).map_err(|_| damaged())?.into();
        let functions = u32::try_from(functions).map_err(|_| damaged())?;
        let code = if functions == 0 {
            None
        } else {
            // SAFETY: the caller's promise.
            let module = unsafe { Module::deserialize(engine, code) }?;
            Some(ScriptCode { module, functions, stored: code.into() })
        };
        Ok(Self { snapshot: Snapshot::decode(snapshot).map_err(Error::msg)?, code, report: Some(report) })
    }

    /// What keeping it costs.
    pub fn bytes(&self) -> usize {
        // The machine code is kept twice: mapped, and as it is stored.
        self.snapshot.bytes() + self.code.as_ref().map_or(0, |code| 2 * code.stored.len())
    }
}

fn encode(functions: u32, snapshot: &[u8], report: &str, code: &[u8]) -> Vec<u8> {
    let numbers = [u64::from(functions), snapshot.len() as u64, report.len() as u64].map(u64::to_le_bytes).concat();
    [&MARK[..], &numbers, snapshot, report.as_bytes(), code].concat()
}

fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (first, rest) = bytes.split_first_chunk()?;
    Some((usize::try_from(u64::from_le_bytes(*first)).ok()?, rest))
}

/// What the compiler of scripts works on, in a process of its own: where the engine's tables lie, its initialised memory, and the snapshot.
pub struct CompilerInput<'a> {
    pub tables: Tables,
    pub table_base: u32,
    pub settings: Settings,
    pub image: &'a [u8],
    pub snapshot: &'a [u8],
}

impl CompilerInput<'_> {
    /// The mark, five numbers, the image, the snapshot.
    pub fn encode(&self) -> Vec<u8> {
        let Self { tables, table_base, settings, image, snapshot } = self;
        let numbers = [tables.layout, tables.opcodes, *table_base, u32::from(settings.has_cells)].map(u64::from);
        let numbers = numbers.map(u64::to_le_bytes).concat();
        [&INPUT_MARK[..], &numbers, &(image.len() as u64).to_le_bytes(), image, snapshot].concat()
    }

    pub fn decode(bytes: &[u8]) -> Option<CompilerInput<'_>> {
        let mut rest = bytes.strip_prefix(INPUT_MARK)?;
        let mut next = || {
            let (first, others) = number(rest)?;
            rest = others;
            Some(first)
        };
        let mut word = || u32::try_from(next()?).ok();
        let (tables, table_base) = (Tables { layout: word()?, opcodes: word()? }, word()?);
        let settings = Settings { has_cells: word()? != 0 };
        let length = next()?;
        let (image, snapshot) = rest.split_at_checked(length)?;
        Some(CompilerInput { tables, table_base, settings, image, snapshot })
    }
}

/// The stored form of the compiled script. Of what cannot be compiled, all stays interpreted, and the report says why.
pub fn compile(input: &CompilerInput<'_>) -> Result<Vec<u8>> {
    compile_with(&compiler_engine()?, input)
}

pub fn compile_with(engine: &Engine, input: &CompilerInput<'_>) -> Result<Vec<u8>> {
    let mut snapshot = Snapshot::decode(input.snapshot).map_err(Error::msg)?;
    let interpreted = |report: Report| Ok(encode(0, input.snapshot, &report.json(), &[]));
    let SideModule { wasm, entries, report } = match compile_side_module(input, &snapshot) {
        Ok(compiled) => compiled,
        Err(Failure::Script(reason)) => return interpreted(Report::of_whole(reason)),
        Err(Failure::Process(why)) => return Err(Error::msg(why)),
    };
    if entries.is_empty() {
        return interpreted(report);
    }
    for (address, index) in &entries {
        if snapshot.set_word(*address as usize, *index).is_none() {
            return interpreted(Report::of_whole("a function lies outside its snapshot".into()));
        }
    }
    // What Wasmtime refuses, it refuses everywhere: its limits are counts, too.
    match engine.precompile_module(&wasm) {
        Ok(code) => Ok(encode(entries.len() as u32, &snapshot.encode(), &report.json(), &code)),
        Err(error) => interpreted(Report::of_whole(format!("no machine code can be made of it: {error:#}"))),
    }
}

pub fn compile_side_module(input: &CompilerInput<'_>, snapshot: &Snapshot) -> Result<SideModule, Failure> {
    let memory = snapshot.memory(input.image);
    let foreign: HashSet<u32> = script_compiler::function_addresses(input.image, input.tables)?.into_iter().collect();
    let prepared = Prepared { memory: &memory, tables: input.tables, table_base: input.table_base, foreign: &foreign };
    script_compiler::compile(&prepared, input.settings)
}

/// For tests: the names of all opcodes, and of those that the functions of the script have.
pub fn opcodes(input: &CompilerInput<'_>) -> Option<[BTreeSet<String>; 2]> {
    let memory = Snapshot::decode(input.snapshot).ok()?.memory(input.image);
    let foreign = script_compiler::function_addresses(input.image, input.tables).ok()?.into_iter().collect();
    let prepared = Prepared { memory: &memory, tables: input.tables, table_base: input.table_base, foreign: &foreign };
    script_compiler::opcodes(&prepared).ok()
}
