//! All functions of one script that are compiled together, and what their bodies share.
use super::bytecode::{FunctionCode, Opcodes};
use super::flow::Blocks;
use super::heap::Places;
use super::helpers::HELPERS;
use super::shared::{SHARED, Shared};
use std::cell::Cell;
use std::collections::HashMap;

pub struct Unit<'a> {
    pub places: &'a Places,
    pub opcodes: &'a Opcodes,
    /// Address of QuickJS's runtime, which no script has a second one of.
    pub runtime: u32,
    pub functions: &'a [FunctionCode],
    /// Of the first one's entry in the table.
    pub table_base: u32,
    /// By address of the bytecode.
    pub indices: HashMap<u32, usize>,
    /// The function that a variable of an outer function holds, by the address of the reader's bytecode and its index.
    pub callees: HashMap<(u32, u16), u32>,
    /// Whether places in the source remember where properties were found.
    pub has_cells: bool,
    pub cells_used: Cell<u32>,
    /// Blocks in so many loops have code of their own; others call what the module has once.
    pub inline_depth: usize,
    /// What of that is called, a bit each.
    pub shared_used: Cell<u64>,
}

/// Instructions that may have code of their own. Those of a small script all do.
const INLINE_MAX: usize = 700;

/// The least depth of loops at which what is inline stays below that.
pub fn inline_depth(flows: &[Blocks]) -> usize {
    let blocks = || flows.iter().flat_map(Blocks::values);
    let deepest = blocks().map(|block| block.depth).max().unwrap_or(0);
    let instructions = |depth| blocks().filter(|block| block.depth >= depth).map(|block| block.instructions.len()).sum::<usize>();
    (0..=deepest).find(|depth| instructions(*depth) <= INLINE_MAX).unwrap_or(deepest + 1)
}

impl Unit<'_> {
    pub fn shared(&self, shared: Shared) -> u32 {
        self.shared_used.set(self.shared_used.get() | 1 << shared as u32);
        (HELPERS.len() + shared as usize) as u32
    }

    pub fn function_index(&self, index: usize) -> u32 {
        (HELPERS.len() + SHARED.len() + index) as u32
    }

    pub fn is_used(&self, shared: Shared) -> bool {
        self.shared_used.get() >> shared as u32 & 1 != 0
    }

    /// QuickJS's context, which no script has a second one of.
    pub fn realm(&self) -> i32 {
        self.functions.first().map_or(0, |function| function.realm as i32)
    }

    /// What the bytecode of a function says that it is compiled to.
    pub fn table_index(&self, index: usize) -> u32 {
        self.table_base + index as u32
    }

    /// Index of the type of compiled functions.
    pub fn compiled_type(&self) -> u32 {
        HELPERS.len() as u32
    }

    pub fn callee(&self, function: &FunctionCode, variable: i32) -> Option<usize> {
        let address = self.callees.get(&(function.address, u16::try_from(variable).ok()?))?;
        self.indices.get(address).copied()
    }

    /// Address of a cell that no other place in the source has; none when they are used up.
    pub fn cell(&self) -> Option<i32> {
        let used = self.cells_used.get();
        if !self.has_cells || used >= self.places.cells_max {
            return None;
        }
        self.cells_used.set(used + 1);
        Some((self.places.cells + used * self.places.cell_bytes) as i32)
    }
}
