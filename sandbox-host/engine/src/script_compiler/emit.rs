//! What each operation becomes. What has no code of its own is a step of the interpreter's, generated from the interpreter's own text.
use super::body::{Body, STRICT, parameter};
use super::bytecode::Instruction;
use super::code::{long, word};
use super::exits::StackEnd;
use super::flow::{Block, types_after_step};
use super::helpers::Helper;
use super::operands::{CATCH_OFFSET, FALSE, NULL, OBJECT, Operand, Place, TRUE, UNDEFINED, UNINITIALIZED};
use super::operation::Operation;
use super::types::Types;
use wasm_encoder::ValType::{I32, I64};

/// Whether an operation has code of its own, given that its operand is one that it has code for.
pub fn has_code(operation: Operation) -> bool {
    !matches!(operation, Operation::ForOfStart | Operation::CopyProperties | Operation::Suspend | Operation::Other)
}

impl Body<'_> {
    /// Returns whether it ended the block.
    pub fn emit(&mut self, block: &Block, instruction: &Instruction) -> bool {
        let operation = instruction.operation;
        if let Some((taken, left)) = operation.permutation() {
            self.permute(taken, left);
            return false;
        }
        match operation {
            Operation::PushInteger => self.push(Operand::integer(instruction.operand)),
            Operation::PushConstant => self.push_constant(self.function.constant(instruction.operand), instruction),
            Operation::PushAtom => self.push_constant(self.function.atom(instruction.operand), instruction),
            Operation::Undefined => self.push(Operand::constant(UNDEFINED)),
            Operation::Null => self.push(Operand::constant(NULL)),
            Operation::True => self.push(Operand::constant(TRUE)),
            Operation::False => self.push(Operand::constant(FALSE)),
            Operation::Catch => {
                let target = instruction.target.unwrap_or(0);
                self.push(Operand::constant(CATCH_OFFSET | u64::from(target)));
            }
            Operation::Nop => {}
            Operation::This => self.this(instruction),
            Operation::GetVariable | Operation::GetChecked => self.get_variable(instruction),
            Operation::PutVariable | Operation::PutChecked => {
                self.check_variable(instruction, operation == Operation::PutChecked);
                let value = self.pop();
                self.put_variable(instruction.operand as usize, value);
            }
            Operation::SetVariable | Operation::SetChecked => {
                self.check_variable(instruction, operation == Operation::SetChecked);
                let value = self.duplicate();
                self.put_variable(instruction.operand as usize, value);
            }
            Operation::PutInitial => {
                let variable = self.variable(instruction.operand as usize);
                let variable = self.materialise(variable);
                self.value(variable);
                self.code.put().i64_const(UNINITIALIZED as i64).i64_ne();
                self.code.when();
                self.leave_at(instruction.at);
                self.code.end();
                self.release(variable);
                let value = self.pop();
                self.put_variable(instruction.operand as usize, value);
            }
            Operation::SetUninitialized => {
                self.put_variable(instruction.operand as usize, Operand::constant(UNINITIALIZED));
            }
            Operation::CloseVariable => {
                self.settle();
                self.code.put().i32_const(instruction.operand).call(Helper::CloseVariable.index());
            }
            Operation::GetArgument => self.get_argument(instruction.operand as usize),
            Operation::PutArgument => {
                let value = self.pop();
                self.put_argument(instruction.operand as usize, value);
            }
            Operation::SetArgument => {
                let value = self.duplicate();
                self.put_argument(instruction.operand as usize, value);
            }
            Operation::GetReference | Operation::GetReferenceChecked => self.get_reference(instruction),
            Operation::PutReference | Operation::PutReferenceChecked => {
                if operation == Operation::PutReferenceChecked {
                    let held = self.reference_value(instruction.operand as u32);
                    self.throw_if_uninitialized(held, instruction, true);
                    self.code.give_back(held);
                }
                let value = self.pop();
                self.put_reference(instruction.operand as u32, value);
            }
            Operation::SetReference => {
                let value = self.duplicate();
                self.put_reference(instruction.operand as u32, value);
            }
            Operation::GetGlobal | Operation::GetGlobalOrUndefined => self.get_global(instruction),
            Operation::Closure => {
                self.settle();
                let (pc, closure) = (self.pc_behind(instruction), self.code.temporary(I64));
                self.code.put().i32_const(pc).i32_const(instruction.operand);
                self.code.put().call(Helper::Closure.index()).local_set(closure);
                self.throw_if_exception(closure);
                self.push_boxed(closure, Types::OTHER);
            }
            Operation::Not => {
                let operand = self.pop();
                let negated = self.code.temporary(I32);
                self.truth(operand);
                self.code.put().i32_eqz().local_set(negated);
                self.push_condition(negated);
            }
            Operation::IsUndefined => self.is_one_of(&[UNDEFINED]),
            Operation::IsNull => self.is_one_of(&[NULL]),
            Operation::IsUndefinedOrNull => self.is_one_of(&[UNDEFINED, NULL]),
            Operation::Increment => self.step_by(instruction, 1),
            Operation::Decrement => self.step_by(instruction, -1),
            Operation::IncrementVariable => self.step_variable(instruction, 1),
            Operation::DecrementVariable => self.step_variable(instruction, -1),
            Operation::PostIncrement => self.post_step(instruction, 1),
            Operation::PostDecrement => self.post_step(instruction, -1),
            Operation::AddToVariable => self.add_to_variable(instruction),
            Operation::Plus => self.plus(instruction),
            Operation::Negate => self.negate(instruction),
            Operation::Invert => self.invert(instruction),
            Operation::GetField => self.get_field(instruction),
            Operation::GetMethod => self.get_method(instruction),
            Operation::PutField => self.put_field(instruction),
            Operation::GetElement => self.get_element(instruction, false),
            Operation::GetElementMethod => self.get_element(instruction, true),
            Operation::PutElement => self.put_element(instruction),
            Operation::Call | Operation::CallMethod => {
                let result = self.call(instruction, operation == Operation::CallMethod);
                self.push_boxed(result, Types::ANY);
            }
            Operation::TailCall | Operation::TailCallMethod => {
                let result = self.call(instruction, operation == Operation::TailCallMethod);
                let result = self.hold(Operand::boxed(result, Types::ANY, true));
                self.give(Some(result));
                return true;
            }
            Operation::TypeOf => {
                let value = self.pop();
                let name = self.code.temporary(I64);
                self.own_value(value);
                self.code.put().call(Helper::TypeOf.index()).local_set(name);
                self.release(value);
                self.push_boxed(name, Types::OTHER);
            }
            Operation::TypeOfIsUndefined => self.type_of_is(self.places().atom_undefined),
            Operation::TypeOfIsFunction => self.type_of_is(self.places().atom_function),
            Operation::In | Operation::InstanceOf => {
                let (right, left) = (self.pop(), self.pop());
                let result = self.relation(instruction, left, right);
                self.push(result);
            }
            Operation::Construct => self.construct(instruction),
            Operation::Object => self.object(instruction),
            Operation::ArrayOf => self.array_of(instruction),
            Operation::DefineField => self.define_field(instruction),
            Operation::ForOfNext => self.for_of_next(instruction),
            Operation::Return => {
                let value = self.pop();
                self.give(Some(value));
                return true;
            }
            Operation::ReturnUndefined => {
                self.give(None);
                return true;
            }
            Operation::Goto => {
                self.flush();
                self.branch(block, block.successors[0]);
                return true;
            }
            Operation::IfTrue | Operation::IfFalse => {
                self.choose(block);
                return true;
            }
            Operation::Leave => {
                self.leave_at(instruction.at);
                return true;
            }
            operation if operation.is_arithmetic() => {
                let (right, left) = (self.pop(), self.pop());
                let result = self.arithmetic(instruction, operation, left, right);
                self.push(result);
            }
            operation if operation.is_bitwise() => {
                let (right, left) = (self.pop(), self.pop());
                let result = self.bitwise(instruction, left, right);
                self.push(result);
            }
            operation if operation.is_comparison() => {
                let (right, left) = (self.pop(), self.pop());
                let result = self.compare(instruction, left, right);
                self.push(result);
            }
            _ => self.step(instruction),
        }
        false
    }

    fn choose(&mut self, block: &Block) {
        let operand = self.pop();
        let condition = self.code.temporary(I32);
        self.truth(operand);
        self.code.put().local_set(condition);
        self.flush();
        let kept = (self.stack.clone(), self.variable_types.clone(), self.argument_types.clone());
        self.code.put().local_get(condition);
        self.code.give_back(condition);
        self.code.when();
        self.branch(block, block.successors[0]);
        self.code.otherwise();
        (self.stack, self.variable_types, self.argument_types) = kept;
        self.branch(block, block.successors[1]);
        self.code.end();
        self.code.put().unreachable();
    }

    fn permute(&mut self, taken: usize, left: &[usize]) {
        let mut values = self.stack.split_off(self.stack.len() - taken);
        for (place, value) in values.iter_mut().enumerate() {
            let copies = left.iter().filter(|from| **from == place).count();
            if copies == 0 {
                self.free(*value);
            } else if copies > 1 && matches!(value.place, Place::Condition(_)) {
                *value = self.materialise(*value);
            }
        }
        let mut used = vec![false; taken];
        for from in left {
            let value = values[*from];
            if std::mem::replace(&mut used[*from], true) {
                self.hold(value);
                if let (true, Place::Boxed(local)) = (value.owned, value.place) {
                    self.retain_local(local, value.types);
                }
            }
            self.push(value);
        }
    }

    /// A second reference to the topmost operand, which stays.
    fn duplicate(&mut self) -> Operand {
        let value = self.pop();
        let value = self.materialise(value);
        let value = self.owned(value);
        if let Place::Boxed(local) = value.place {
            self.retain_local(local, value.types);
        }
        self.hold(value);
        self.push(value);
        value
    }

    fn push_constant(&mut self, value: Option<u64>, instruction: &Instruction) {
        match value {
            Some(value) => self.push(Operand::constant(value)),
            None => self.step(instruction),
        }
    }

    fn this(&mut self, instruction: &Instruction) {
        let lent = Operand::boxed(parameter::THIS, Types::ANY, false);
        if self.function.mode & STRICT != 0 {
            return self.push(lent);
        }
        let this = self.code.temporary(I64);
        self.code.put().local_get(parameter::THIS).i64_const(OBJECT as i64).i64_ge_u();
        self.code.when();
        self.own_value(lent);
        self.code.put().local_set(this);
        self.code.otherwise();
        self.step_into(instruction, this);
        self.code.end();
        self.push_boxed(this, Types::ANY);
    }

    /// An operation that takes nothing and leaves one value, as a step.
    fn step_into(&mut self, instruction: &Instruction, local: u32) {
        let (frame, end) = (self.frame, self.layout.stack + 8 * self.stack.len() as u32);
        self.begin_step(instruction, end);
        self.code.put().local_get(frame).i64_load(long(end)).local_set(local);
    }

    fn begin_step(&mut self, instruction: &Instruction, end: u32) {
        if !self.steps {
            return self.refuse("a step was not foreseen");
        }
        let frame = self.frame;
        let pc = self.function.code_address.wrapping_add(instruction.at);
        self.code.put().i32_const(pc as i32).local_get(frame).i32_const(end as i32).i32_add();
        self.code.put().call(Helper::Step.index());
        self.throw_if(StackEnd::Stepped);
    }

    /// The interpreter's own code for this one opcode.
    pub fn step(&mut self, instruction: &Instruction) {
        self.settle();
        let height = self.stack.len();
        let base = height - instruction.pops as usize;
        let types = types_after_step(instruction, self.stack[base..].iter().map(|operand| operand.types));
        self.spill_from(base);
        self.begin_step(instruction, self.layout.stack + 8 * height as u32);
        for (place, types) in (base..).zip(types) {
            let (frame, local) = (self.frame, self.code.temporary(I64));
            self.code.put().local_get(frame).i64_load(long(self.layout.stack + 8 * place as u32)).local_set(local);
            self.push_boxed(local, types);
        }
    }

    fn type_of_is(&mut self, wanted: u32) {
        let value = self.pop();
        let result = self.code.temporary(I32);
        self.own_value(value);
        self.code.put().i32_const(wanted as i32).call(Helper::TypeOfIs.index()).local_set(result);
        self.release(value);
        self.push_condition(result);
    }

    fn is_one_of(&mut self, values: &[u64]) {
        let operand = self.pop();
        let operand = self.materialise(operand);
        let result = self.code.temporary(I32);
        for (position, value) in values.iter().enumerate() {
            self.value(operand);
            self.code.put().i64_const(*value as i64).i64_eq();
            if position > 0 {
                self.code.put().i32_or();
            }
        }
        self.code.put().local_set(result);
        self.free(operand);
        self.push_condition(result);
    }

    /// Leaves if the local holds the mark of what is not initialised yet.
    pub fn throw_if_uninitialized(&mut self, local: u32, instruction: &Instruction, is_reference: bool) {
        let pc = self.pc_behind(instruction);
        self.code.put().local_get(local).i64_const(UNINITIALIZED as i64).i64_eq();
        self.code.when();
        self.code.put().i32_const(pc).i32_const(instruction.operand).i32_const(i32::from(is_reference));
        self.code.put().call(Helper::Uninitialized.index()).i32_const(1);
        self.throw_if(StackEnd::Here);
        self.code.end();
    }

    fn get_global(&mut self, instruction: &Instruction) {
        self.settle();
        let value = self.reference_value(instruction.operand as u32);
        let pc = self.pc_behind(instruction);
        let throws = i32::from(instruction.operation == Operation::GetGlobal);
        self.code.put().local_get(value).i64_const(UNINITIALIZED as i64).i64_eq();
        self.code.when();
        self.code.put().i32_const(pc).i32_const(instruction.operand).i32_const(throws);
        self.code.put().call(Helper::GetGlobal.index()).local_set(value);
        self.throw_if_exception(value);
        self.code.otherwise();
        self.retain_local(value, Types::ANY);
        self.code.end();
        let callee = self.unit.callee(self.function, instruction.operand);
        let operand = self.hold(Operand { callee, ..Operand::boxed(value, Types::ANY, true) });
        self.push(operand);
    }

    /// What QuickJS calls the pc behind an instruction.
    pub fn pc_behind(&self, instruction: &Instruction) -> i32 {
        self.function.code_address.wrapping_add(instruction.next) as i32
    }

    /// Leaves the address of what a variable of an outer function holds.
    pub fn reference_address(&mut self, index: u32) {
        let at = self.places();
        match self.references {
            Some(references) => self.code.put().local_get(references),
            None => self.code.put().i32_const(0),
        };
        self.code.put().i32_load(word(4 * index)).i32_load(word(at.reference_value));
    }

    /// Its value in a temporary local, lent.
    pub fn reference_value(&mut self, index: u32) -> u32 {
        let value = self.code.temporary(I64);
        self.reference_address(index);
        self.code.put().i64_load(long(0)).local_set(value);
        value
    }
}
