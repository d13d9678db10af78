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
use super::code::{Code, Label, long, word};
use super::flow::{self, Block, Blocks, Unfit};
use super::heap::Places;
use super::helpers::{COMPILED_PARAMETERS, Helper};
use super::operands::{Operand, UNDEFINED};
use super::operation::Operation;
use super::shared::Shared;
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

/// `JS_CALL_FLAG_COPY_ARGV`.
const COPY_ARGUMENTS: i32 = 1 << 1;
/// The interpreter's own stack check has to see what a frame takes before it is taken.
const FRAME_BYTES_MAX: u32 = 32 << 10;

/// Variables that are freed one by one at the end; more are by a loop.
const DROPPED_INLINE_MAX: usize = 3;

/// Bytes from the frame's start.
#[derive(Clone, Copy)]
pub struct FrameLayout {
    pub arguments: u32,
    pub variables: u32,
    pub stack: u32,
    pub references: u32,
    bytes: u32,
}

impl FrameLayout {
    fn of(function: &FunctionCode, places: &Places) -> Self {
        let arguments = places.frame_bytes.next_multiple_of(8);
        let variables = arguments + 8 * function.arguments as u32;
        let stack = variables + 8 * function.variables as u32;
        let references = stack + 8 * function.stack as u32;
        Self {
            arguments,
            variables,
            stack,
            references,
            bytes: (references + 4 * function.references as u32).next_multiple_of(16),
        }
    }
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
    locals_base: u32,
    leave_stack: u32,
    leave_throwing: u32,
    result: u32,
    leaves: Label,
    /// Where the interpreter takes over with what was thrown, by the height of the stack in the frame; the last is for steps, which say it.
    throws: Vec<Label>,
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

    fn enter(&mut self) {
        let at = self.places();
        let (frame, layout) = (self.frame, self.layout);
        let put = &mut self.code;
        put.put().global_get(0).i32_const(layout.bytes as i32).i32_sub().local_tee(frame);
        put.put().i32_const(self.unit.runtime as i32).i32_load(word(at.runtime_stack_limit)).i32_lt_u();
        put.when();
        put.put().local_get(parameter::CONTEXT).call(Helper::Overflow.index()).return_();
        put.end();
        put.put().local_get(frame).global_set(0);
        let runtime = self.unit.runtime as i32;
        put.put().local_get(frame).i32_const(runtime).i32_load(word(at.runtime_frame)).i32_store(word(at.frame_previous));
        put.put().i32_const(runtime).local_get(frame).i32_store(word(at.runtime_frame));
        put.put().local_get(frame).local_get(parameter::FUNCTION).i64_store(long(at.frame_function));
        put.put().local_get(frame).i32_const(i32::from(self.function.mode)).i32_store(word(at.frame_mode));
        put.put().local_get(frame).local_get(frame).i32_const(layout.variables as i32).i32_add().local_tee(self.locals_base);
        put.put().i32_store(word(at.frame_variables));
        if self.function.references > 0 {
            put.put().local_get(frame).local_get(frame).i32_const(layout.references as i32).i32_add();
            put.put().i32_store(word(at.frame_references));
        }
        for index in 0..self.function.references as u32 {
            put.put().local_get(frame).i32_const(0).i32_store(word(layout.references + 4 * index));
        }
        self.take_arguments();
        if self.steps {
            self.complete_frame();
        }
        let put = &mut self.code;
        if let Some(references) = self.references {
            put.put().local_get(parameter::FUNCTION).i32_wrap_i64().i32_load(word(at.object_references)).local_set(references);
        }
        for (index, home) in self.arguments.iter().enumerate() {
            if let Some(home) = home {
                put.put().local_get(self.argument_base).i64_load(long(8 * index as u32)).local_set(*home);
            }
        }
        let drops_range = self.variables.len() > DROPPED_INLINE_MAX;
        for (index, home) in self.variables.iter().enumerate() {
            let mut put = put.put();
            match home.boxed {
                Some(local) => put.i64_const(UNDEFINED as i64).local_set(local),
                None => &mut put,
            };
            if !home.is_lazy || drops_range {
                put.local_get(frame).i64_const(UNDEFINED as i64).i64_store(long(layout.variables + 8 * index as u32));
            }
        }
    }

    /// As the interpreter: those of the caller, or a copy if there are too few.
    fn take_arguments(&mut self) {
        let (at, frame, layout) = (self.places(), self.frame, self.layout);
        let wanted = self.function.arguments as i32;
        let copy = self.unit.shared(Shared::CopyArguments);
        let put = &mut self.code;
        let count = put.local(I32);
        put.put().local_get(parameter::GIVEN).local_set(self.argument_base).local_get(parameter::COUNT).local_set(count);
        if wanted > 0 {
            put.put().local_get(parameter::COUNT).i32_const(wanted).i32_lt_s();
            put.put().local_get(parameter::FLAGS).i32_const(COPY_ARGUMENTS).i32_and().i32_or();
            put.when();
            put.put().local_get(frame).i32_const(layout.arguments as i32).i32_add().local_get(parameter::GIVEN);
            put.put().local_get(parameter::COUNT).i32_const(wanted).call(copy);
            put.put().local_get(frame).i32_const(layout.arguments as i32).i32_add().local_tee(self.argument_base);
            put.put().local_set(self.locals_base).i32_const(wanted).local_set(count);
            put.end();
        }
        put.put().local_get(frame).local_get(self.argument_base).i32_store(word(at.frame_arguments));
        put.put().local_get(frame).local_get(count).i32_store(word(at.frame_argument_count));
    }

    /// What only the interpreter needs of it.
    fn complete_frame(&mut self) {
        let (at, frame, layout) = (self.places(), self.frame, self.layout);
        let put = &mut self.code;
        put.put().local_get(frame).local_get(parameter::CONTEXT).i32_store(word(at.frame_caller_context));
        put.put().local_get(frame).local_get(parameter::COUNT).i32_store(word(at.frame_given_count));
        put.put().local_get(frame).local_get(parameter::GIVEN).i32_store(word(at.frame_given));
        put.put().local_get(frame).local_get(self.locals_base).i32_store(word(at.frame_locals));
        put.put().local_get(frame).local_get(parameter::THIS).i64_store(long(at.frame_this));
        put.put().local_get(frame).local_get(parameter::NEW_TARGET).i64_store(long(at.frame_new_target));
        put.put().local_get(frame).local_get(frame).i32_const(layout.stack as i32).i32_add().i32_store(word(at.frame_stack));
    }

    /// Behind the body: what was thrown goes to the interpreter, with the end of the stack.
    fn land(&mut self) {
        let (frame, layout) = (self.frame, self.layout);
        for height in 0..self.throws.len() {
            self.code.end();
            if height + 1 < self.throws.len() {
                self.code.put().local_get(frame).i32_const((layout.stack + 8 * height as u32) as i32).i32_add();
            } else {
                self.code.put().local_get(frame).i32_load(word(self.unit.places.frame_stack_end));
            }
            self.code.put().local_set(self.leave_stack).i32_const(1).local_set(self.leave_throwing);
            self.code.go(self.leaves);
        }
        self.code.end();
    }

    /// The interpreter takes over; it frees the frame.
    fn leave(&mut self) {
        let (frame, layout) = (self.frame, self.layout);
        let put = &mut self.code;
        put.put().local_get(self.leave_stack).local_get(self.leave_throwing);
        put.put().local_get(parameter::CONTEXT).local_get(parameter::COUNT).local_get(parameter::GIVEN);
        put.put().local_get(self.locals_base).local_get(frame).i32_const(layout.stack as i32).i32_add();
        put.put().local_get(parameter::THIS).local_get(parameter::NEW_TARGET).call(Helper::Resume.index());
        put.put().local_get(frame).i32_const(layout.bytes as i32).i32_add().global_set(0).return_();
    }

    fn finish(&mut self) {
        let (at, frame, layout) = (self.places(), self.frame, self.layout);
        if self.function.references > 0 {
            self.code.put().call(Helper::Close.index());
        }
        let drop_range = self.unit.shared(Shared::DropRange);
        let is_freed = |body: &Self, index: usize| body.variables[index].boxed.is_none() || body.held[index].is_counted();
        if (0..self.variables.len()).filter(|index| is_freed(self, *index)).count() > DROPPED_INLINE_MAX {
            // None of the rest has a count, in the frame as here.
            self.code.put().local_get(frame).i32_const(layout.variables as i32).i32_add();
            self.code.put().local_get(frame).i32_const(layout.stack as i32).i32_add().call(drop_range);
        } else {
            let value = self.code.local(I64);
            for index in 0..self.variables.len() {
                match self.variables[index].boxed {
                    Some(boxed) => self.free_local(boxed, self.held[index]),
                    None => {
                        self.code.put().local_get(frame).i64_load(long(layout.variables + 8 * index as u32)).local_set(value);
                        self.free_local(value, Types::ANY);
                    }
                }
            }
        }
        if self.function.arguments > 0 {
            self.code.put().local_get(self.argument_base).local_get(parameter::GIVEN).i32_ne();
            self.code.when();
            self.code.put().local_get(frame).i32_const(layout.arguments as i32).i32_add();
            self.code.put().local_get(frame).i32_const(layout.variables as i32).i32_add().call(drop_range);
            self.code.end();
        }
        let put = &mut self.code;
        put.put().i32_const(self.unit.runtime as i32).local_get(frame).i32_load(word(at.frame_previous));
        put.put().i32_store(word(at.runtime_frame));
        put.put().local_get(frame).i32_const(layout.bytes as i32).i32_add().global_set(0).local_get(self.result);
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

    /// Stores what the interpreter must find in the frame and the frame does not have yet.
    fn spill_all(&mut self) {
        let (frame, layout) = (self.frame, self.layout);
        for index in 0..self.variables.len() {
            let home = self.variables[index];
            let place = layout.variables + 8 * index as u32;
            let Some(boxed) = home.boxed else { continue };
            if self.is_unboxed(index) {
                self.code.put().local_get(frame);
                self.box_float(home.float);
                self.code.put().i64_store(long(place));
            } else if home.is_lazy {
                self.code.put().local_get(frame).local_get(boxed).i64_store(long(place));
            }
        }
        for place in 0..self.stack.len() {
            let operand = self.stack[place];
            self.spill(operand, place);
        }
    }

    fn is_spilled(&self) -> bool {
        let is_written = |index: usize| !self.is_unboxed(index) && !self.variables[index].is_lazy;
        self.stack.is_empty() && (0..self.variables.len()).all(is_written)
    }

    /// Leaves to the interpreter, which goes on at `pc` (bytes from the start of the code).
    pub fn leave_at(&mut self, pc: u32) {
        self.spill_all();
        let (frame, layout, height) = (self.frame, self.layout, self.stack.len() as u32);
        let pc = self.function.code_address.wrapping_add(pc) as i32;
        let resume_pc = self.places().frame_resume_pc;
        let put = &mut self.code;
        put.put().local_get(frame).i32_const(pc).i32_store(word(resume_pc));
        put.put().local_get(frame).i32_const((layout.stack + 8 * height) as i32).i32_add().local_set(self.leave_stack);
        put.put().i32_const(0).local_set(self.leave_throwing);
        self.code.go(self.leaves);
    }

    /// If the condition on the Wasm stack is true, something was thrown: whatever threw has told the frame its pc. The operands are spilled on
    /// this path only. Where a step left its own end of the stack, that counts.
    pub fn throw_if(&mut self, end: StackEnd) {
        let height = match end {
            StackEnd::Here => self.stack.len(),
            StackEnd::Stepped => self.throws.len() - 1,
        };
        let label = self.throws[height];
        if self.is_spilled() {
            return self.code.go_if(label);
        }
        self.code.when();
        self.spill_all();
        self.code.go(label);
        self.code.end();
    }

    /// Leaves if the value in the local is QuickJS's mark of an exception.
    pub fn throw_if_exception(&mut self, local: u32) {
        super::shared::is_exception(&mut self.code, local);
        self.throw_if(StackEnd::Here);
    }
}

/// How much of the stack in the frame is the activation's.
#[derive(Clone, Copy)]
pub enum StackEnd {
    Here,
    Stepped,
}
