//! One function of a script as one Wasm function: its frame, its blocks in structured control flow, and the two ways out.
//!
//! ```text
//! entry ─▶ frame on the shadow stack, as the interpreter lays it out ─▶ blocks ─▶ return: references closed, variables freed
//!                                                                        └─▶ leave: the rest is spilled into the frame, the interpreter
//!                                                                                   goes on at a pc, or where an exception is caught
//! ```
//! Variables, arguments and the operand stack are Wasm locals; what closures share lives in the frame. Variables are also written to the frame
//! when they change, so that the many ways out have nothing to spill of them; numbers that change in loops are written on the way out. See
//! `operands.rs` for the rules of ownership.
use super::bytecode::{FunctionCode, Instruction};
use super::code::{Code, Label};
use super::flow::{self, Block, Blocks, Unfit};
use super::frame::{FRAME_BYTES_MAX, FrameLayout};
use super::heap::Places;
use super::helpers::COMPILED_PARAMETERS;
use super::operands::{Operand, UNDEFINED};
use super::operation::Operation;
use super::types::Types;
use super::unit::Unit;
use wasm_encoder::Function;
use wasm_encoder::ValType::{self, F64, I32, I64};

/// Parameters of a compiled function.
pub mod parameter {
    pub const CONTEXT: u32 = 0;
    pub const FUNCTION: u32 = 1;
    pub const THIS: u32 = 2;
    pub const NEW_TARGET: u32 = 3;
    pub const COUNT: u32 = 4;
    pub const GIVEN: u32 = 5;
    pub const FLAGS: u32 = 6;
}

/// Where a variable is.
#[derive(Clone, Copy)]
pub struct Home {
    /// Boxed; none for one that closures share, which is in the frame.
    pub boxed: Option<u32>,
    /// Of a variable that is a float for certain.
    pub float: u32,
    /// Whether the frame learns of it only when the interpreter takes over.
    pub is_lazy: bool,
}

pub struct Body<'a> {
    pub unit: &'a Unit<'a>,
    pub function: &'a FunctionCode,
    pub blocks: &'a Blocks,
    pub code: Code,
    pub layout: FrameLayout,
    pub stack: Vec<Operand>,
    pub variable_types: Vec<Types>,
    pub argument_types: Vec<Types>,
    pub variables: Vec<Home>,
    /// Of arguments that are read; none for those that closures share.
    pub arguments: Vec<Option<u32>>,
    /// Canonical places of the operand stack, where blocks meet.
    slots: Vec<u32>,
    /// Everything that a variable's boxed home ever held.
    pub held: Vec<Types>,
    pub frame: u32,
    pub argument_base: u32,
    pub references: Option<u32>,
    pub locals_base: u32,
    pub leave_stack: u32,
    pub leave_throwing: u32,
    pub result: u32,
    pub leaves: Label,
    /// Where the interpreter takes over with what was thrown, by the height of the stack in the frame; the last is for steps, which say it.
    pub throws: Vec<Label>,
    returns: Label,
    /// The targets of branches that are open: loops and merges, by block.
    targets: Vec<(u32, Label)>,
    /// Whether the frame must be whole from the start, for opcodes that the interpreter steps through.
    pub steps: bool,
    /// Of a function that the module has once: the parameters that are the pc and what is owned.
    pub shared: Option<(u32, u32)>,
    /// Whether the block is in as many loops as it takes for code of its own.
    is_hot: bool,
    problem: Option<Unfit>,
}

pub fn compile(unit: &Unit<'_>, function: &FunctionCode, blocks: &Blocks) -> Result<Function, Unfit> {
    let mut body = Body::new(unit, function, blocks, &COMPILED_PARAMETERS);
    if body.layout.bytes > FRAME_BYTES_MAX {
        return Err(format!("its frame takes {} bytes, allowed are {FRAME_BYTES_MAX}", body.layout.bytes));
    }
    body.enter();
    body.code.fix_locals();
    body.returns = body.code.block();
    body.leaves = body.code.block();
    let mut throws: Vec<Label> = (0..function.stack + 2).map(|_| body.code.block()).collect();
    throws.reverse();
    body.throws = throws;
    body.tree(0);
    body.code.put().unreachable();
    body.land();
    body.leave();
    body.code.end();
    body.finish();
    match body.problem {
        Some(problem) => Err(problem),
        None => Ok(body.code.finish()),
    }
}

fn needs_step(function: &FunctionCode, instruction: &Instruction) -> bool {
    match instruction.operation {
        Operation::AddToVariable => function.is_variable_captured(instruction.operand as usize),
        // A step where `this` is no object.
        Operation::This => function.mode & STRICT == 0,
        Operation::PushConstant => function.constant(instruction.operand).is_none(),
        Operation::PushAtom => function.atom(instruction.operand).is_none(),
        operation => !super::emit::has_code(operation),
    }
}

/// `JS_MODE_STRICT`.
pub const STRICT: u8 = 1;

impl<'a> Body<'a> {
    pub fn new(unit: &'a Unit<'a>, function: &'a FunctionCode, blocks: &'a Blocks, parameters: &[ValType]) -> Self {
        let mut code = Code::new(parameters);
        let lazy = flow::lazy_variables(function, blocks);
        let variables = (0..function.variables)
            .map(|index| {
                let is_captured = function.is_variable_captured(index);
                Home { boxed: (!is_captured).then(|| code.local(I64)), float: code.local(F64), is_lazy: lazy[index] }
            })
            .collect();
        let arguments =
            (0..function.arguments).map(|index| (!function.is_argument_captured(index)).then(|| code.local(I64))).collect();
        let slots = (0..function.stack).map(|_| code.local(I64)).collect();
        let frame = code.local(I32);
        let argument_base = code.local(I32);
        let references = (function.closure > 0).then(|| code.local(I32));
        let (locals_base, leave_stack, leave_throwing) = (code.local(I32), code.local(I32), code.local(I32));
        let result = code.local(I64);
        let steps = blocks.values().flat_map(|block| &block.instructions).any(|instruction| needs_step(function, instruction));
        Self {
            unit,
            function,
            blocks,
            layout: FrameLayout::of(function, unit.places),
            stack: Vec::new(),
            variable_types: Vec::new(),
            argument_types: Vec::new(),
            variables,
            arguments,
            slots,
            held: vec![Types::SIMPLE; function.variables],
            frame,
            argument_base,
            references,
            locals_base,
            leave_stack,
            leave_throwing,
            result,
            leaves: Label::NONE,
            throws: Vec::new(),
            returns: Label::NONE,
            targets: Vec::new(),
            steps,
            shared: None,
            is_hot: false,
            problem: None,
            code,
        }
    }

    /// Whether what is done often is worth its code here; else it is a call of a function that the module has once.
    pub fn is_inline(&self) -> bool {
        self.is_hot || self.shared.is_some()
    }

    pub fn places(&self) -> &'a Places {
        self.unit.places
    }

    /// A contradiction between what was told of the function and what is emitted; it stays interpreted.
    pub fn refuse(&mut self, why: &str) {
        self.problem.get_or_insert_with(|| why.to_owned());
    }

    /// A block and all that it dominates ("Beyond Relooper", Ramsey).
    fn tree(&mut self, at: u32) {
        let blocks = self.blocks;
        let block = &blocks[&at];
        let mut merges: Vec<u32> = block.dominated.iter().copied().filter(|below| blocks[below].forward_edges > 1).collect();
        merges.sort_by_key(|below| blocks[below].rank);
        if block.is_loop {
            let label = self.code.looped();
            self.targets.push((at, label));
            self.within(block, &merges);
            self.targets.pop();
            self.code.put().unreachable();
            self.code.end();
        } else {
            self.within(block, &merges);
        }
    }

    /// Branches to a merge leave the Wasm block that it stands behind.
    fn within(&mut self, block: &Block, merges: &[u32]) {
        let Some((last, others)) = merges.split_last() else { return self.block(block) };
        let label = self.code.block();
        self.targets.push((*last, label));
        self.within(block, others);
        self.targets.pop();
        self.code.end();
        self.tree(*last);
    }

    fn block(&mut self, block: &Block) {
        self.is_hot = block.depth >= self.unit.inline_depth;
        self.variable_types.clone_from(&block.state.variables);
        self.argument_types.clone_from(&block.state.arguments);
        self.stack = block.state.stack.iter().zip(&self.slots).map(|(types, slot)| Operand::boxed(*slot, *types, true)).collect();
        for instruction in &block.instructions {
            if self.emit(block, instruction) {
                return;
            }
        }
        self.flush();
        self.branch(block, block.successors[0]);
    }

    /// Goes to the next block, its operands being in their slots.
    pub fn branch(&mut self, from: &Block, to: u32) {
        let blocks = self.blocks;
        let target = &blocks[&to];
        self.agree(target);
        if target.rank <= from.rank || target.forward_edges > 1 {
            let Some((_, label)) = self.targets.iter().rfind(|(at, _)| *at == to).copied() else {
                return self.refuse("a jump leads out of its loop in a way that is not known");
            };
            self.code.go(label);
        } else {
            self.tree(to);
        }
    }

    /// Brings each variable to where the next block expects it.
    fn agree(&mut self, target: &Block) {
        for (index, expected) in target.state.variables.iter().enumerate() {
            let Some(boxed) = self.variables[index].boxed else { continue };
            let types = self.variable_types[index];
            if types | *expected != *expected {
                return self.refuse("a variable is of more kinds than was found");
            }
            if types.is_float() && !expected.is_float() {
                self.box_float(self.variables[index].float);
                self.code.put().local_set(boxed);
                self.held[index] = self.held[index] | Types::FLOAT;
                self.write_through(index);
            }
        }
        if self.stack.len() != target.state.stack.len() {
            return self.refuse("the stack is not as high as was found");
        }
        let expected = target.state.stack.iter().chain(&target.state.arguments);
        let found = self.stack.iter().map(|operand| operand.types).chain(self.argument_types.iter().copied());
        if expected.zip(found).any(|(expected, types)| *expected | types != *expected) {
            self.refuse("an operand is of more kinds than was found");
        }
    }

    /// Brings all operands to their slots, owned.
    pub fn flush(&mut self) {
        let moved: Vec<usize> = (0..self.stack.len())
            .filter(|place| !(self.stack[*place].is_in(self.slots[*place]) && self.stack[*place].owned))
            .collect();
        for place in &moved {
            self.own_value(self.stack[*place]);
        }
        for place in moved.iter().rev() {
            self.code.put().local_set(self.slots[*place]);
        }
        for place in moved {
            let operand = self.stack[place];
            self.release(operand);
            self.stack[place] = Operand::boxed(self.slots[place], operand.types, true);
        }
    }

    /// Ends the activation with the value; without one, undefined.
    pub fn give(&mut self, value: Option<Operand>) {
        match value {
            Some(value) => {
                self.own_value(value);
                self.code.put().local_set(self.result);
                self.release(value);
            }
            None => {
                self.code.put().i64_const(UNDEFINED as i64).local_set(self.result);
            }
        }
        while let Some(operand) = self.stack.pop() {
            self.free(operand);
        }
        self.code.go(self.returns);
    }
}
