//! From the bytecode of a prepared script to WebAssembly: the functions that QuickJS made of the author's module are read from the memory of the
//! snapshot and become a side module, which works in the same memory, calls the engine's functions and is called by them. A function that is
//! not compiled, and whatever compiled code does not cover, is the interpreter's; both call each other freely.
//!
//! ```text
//! memory ─▶ heap.rs ─▶ bytecode.rs: functions, instructions ─▶ flow.rs: blocks, types ─▶ body.rs, emit.rs … ─▶ side_module.rs
//! ```
//! What the code relies on of QuickJS is told by QuickJS itself (`script-module/compiled.c`). The memory is a stranger's: it can make the
//! compiler fail, and its code wrong for its own memory, no more.
mod bits;
mod body;
mod bytecode;
mod calls;
mod code;
mod comparisons;
mod emit;
mod exits;
mod flow;
mod frame;
mod heap;
mod helpers;
mod numbers;
mod objects;
mod operands;
mod operation;
mod report;
mod shared;
mod side_module;
mod steps;
mod types;
mod unit;
mod variables;

use bytecode::{FunctionCode, Functions, Opcodes};
use flow::Blocks;
pub use heap::{Damaged, Tables};
use heap::{Heap, Places};
pub use helpers::HELPERS;
pub use report::{Interpreted, Report};
pub use side_module::{ENGINE, MEMORY, STACK_POINTER, TABLE};
use std::cell::Cell;
use std::collections::{BTreeSet, HashSet};
use unit::Unit;

/// Changes with whatever the compiler emits.
pub const COMPILER_VERSION: u32 = 3;

// What is compiled follows from the script alone, so that it has one mode on every host: these bounds are counts, and what lies within them
// compiles well within the time and memory that a host gives a compiler.

/// Functions of one script; each takes an entry of the table. Those after them stay interpreted.
pub const FUNCTIONS_MAX: usize = 4096;
/// Instructions of one function: the largest that people write have some thousands, machines make larger ones.
const INSTRUCTIONS_MAX: usize = 20_000;
/// Of the module, before it is compiled on. A larger script stays interpreted.
const MODULE_BYTES_MAX: usize = 8 << 20;
/// Control flow nests as deep as a function's blocks do.
const STACK_BYTES: usize = 256 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Without them every property is looked up; for tests.
    pub has_cells: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { has_cells: true }
    }
}

/// A prepared script, and what of its engine the compiler must know.
pub struct Prepared<'a> {
    pub memory: &'a [u8],
    pub tables: Tables,
    /// Entries of the engine's own table.
    pub table_base: u32,
    /// Functions that were there before the script: addresses of their bytecode.
    pub foreign: &'a HashSet<u32>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct SideModule {
    pub wasm: Vec<u8>,
    /// Words of the memory that say which functions are compiled: address, index in the table.
    pub entries: Vec<(u32, u32)>,
    pub report: Report,
}

/// Why there is no module.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// It follows from the script: all of it stays interpreted, on every host.
    Script(String),
    /// Of this process; it may go well later, or elsewhere.
    Process(&'static str),
}

impl From<Damaged> for Failure {
    fn from(Damaged(why): Damaged) -> Self {
        Self::Script(format!("its memory cannot be read: {why}"))
    }
}

/// Addresses of the bytecode of all functions in a memory.
pub fn function_addresses(memory: &[u8], tables: Tables) -> Result<Vec<u32>, Damaged> {
    let heap = Heap::new(memory);
    let (places, opcodes) = (Places::read(&heap, tables)?, Opcodes::read(&heap, tables)?);
    Functions::new(heap, &places, &opcodes).addresses()
}

/// For tests: the names of all opcodes, and of those that the script's functions have.
pub fn opcodes(prepared: &Prepared<'_>) -> Result<[BTreeSet<String>; 2], Damaged> {
    let heap = Heap::new(prepared.memory);
    let (places, opcodes) = (Places::read(&heap, prepared.tables)?, Opcodes::read(&heap, prepared.tables)?);
    let reader = Functions::new(heap, &places, &opcodes);
    let mut used = BTreeSet::new();
    for address in reader.addresses()?.into_iter().filter(|address| !prepared.foreign.contains(address)) {
        used.extend(reader.read(address)?.instructions.values().map(|instruction| opcodes.name(instruction).to_owned()));
    }
    Ok([opcodes.names(), used])
}

/// On a thread of its own, for its stack.
pub fn compile(prepared: &Prepared<'_>, settings: Settings) -> Result<SideModule, Failure> {
    std::thread::scope(|scope| {
        let compile = || compile_here(prepared, settings);
        let thread =
            std::thread::Builder::new().name("script-compiler".into()).stack_size(STACK_BYTES).spawn_scoped(scope, compile);
        let thread = thread.map_err(|_| Failure::Process("a thread cannot be started"))?;
        thread.join().map_err(|_| Failure::Script("the compiler failed".into()))?
    })
}

fn compile_here(prepared: &Prepared<'_>, settings: Settings) -> Result<SideModule, Failure> {
    let heap = Heap::new(prepared.memory);
    let (places, opcodes) = (Places::read(&heap, prepared.tables)?, Opcodes::read(&heap, prepared.tables)?);
    let reader = Functions::new(heap, &places, &opcodes);
    let mut interpreted = Vec::new();
    let mut functions = Vec::new();
    let mut flows = Vec::new();
    for address in reader.addresses()? {
        if prepared.foreign.contains(&address) {
            continue;
        }
        let function = reader.read(address)?;
        match fit(&function, functions.len()) {
            Ok(blocks) => {
                functions.push(function);
                flows.push(blocks);
            }
            Err(why) => interpreted.push(reader.interpreted(&function, why)),
        }
    }
    let callees = reader.callees()?;
    let runtime = heap.u32(places.runtime)?;
    loop {
        let indices =
            functions.iter().enumerate().map(|(index, function): (_, &FunctionCode)| (function.address, index)).collect();
        let unit = Unit {
            places: &places,
            opcodes: &opcodes,
            runtime,
            functions: &functions,
            table_base: prepared.table_base,
            indices,
            callees: callees.clone(),
            has_cells: settings.has_cells,
            cells_used: Cell::new(0),
            inline_depth: unit::inline_depth(&flows),
            shared_used: Cell::new(0),
        };
        let mut bodies = Vec::new();
        let mut failed = Vec::new();
        for (index, (function, blocks)) in functions.iter().zip(&flows).enumerate() {
            match body::compile(&unit, function, blocks) {
                Ok(body) => bodies.push(body),
                Err(why) => failed.push((index, why)),
            }
        }
        // The others were told to call it; they are compiled once more.
        if !failed.is_empty() {
            for (index, why) in failed.into_iter().rev() {
                flows.remove(index);
                interpreted.push(reader.interpreted(&functions.remove(index), why));
            }
            continue;
        }
        // The module's own code has run, once and for all.
        interpreted.retain(|function| function.name != "<eval>");
        let wasm = side_module::side_module(&unit, &bodies, prepared.table_base);
        if wasm.len() > MODULE_BYTES_MAX {
            let (bytes, allowed) = (wasm.len(), MODULE_BYTES_MAX);
            return Err(Failure::Script(format!("its compiled form takes {bytes} bytes, allowed are {allowed}")));
        }
        let entries = functions
            .iter()
            .zip(prepared.table_base..)
            .map(|(function, index)| (function.address.wrapping_add(places.bytecode_compiled), index))
            .collect();
        interpreted.sort();
        return Ok(SideModule { wasm, entries, report: Report { compiled: functions.len(), interpreted, reason: None } });
    }
}

fn fit(function: &FunctionCode, compiled: usize) -> Result<Blocks, String> {
    if !function.is_plain {
        return Err("it is a generator or asynchronous".into());
    }
    if compiled >= FUNCTIONS_MAX {
        return Err(format!("the script has more than {FUNCTIONS_MAX} functions"));
    }
    if function.instructions.len() > INSTRUCTIONS_MAX {
        return Err(format!("it has {} instructions, allowed are {INSTRUCTIONS_MAX}", function.instructions.len()));
    }
    flow::blocks(function)
}
