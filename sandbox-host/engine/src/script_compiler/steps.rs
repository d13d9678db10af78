//! What takes one operand: one more, one less, signs, the bits turned round; and what is added to a variable where it lies.
use super::body::Body;
use super::bytecode::Instruction;
use super::code::long;
use super::exits::StackEnd;
use super::helpers::Helper;
use super::numbers::LOW_HALF;
use super::operands::{Operand, Place, float_of};
use super::operation::Operation;
use super::types::Types;
use wasm_encoder::ValType::{F64, I32, I64};

impl Body<'_> {
    /// One more or less than the operand.
    fn stepped(&mut self, instruction: &Instruction, operation: Operation, operand: Operand, by: i32) -> Operand {
        if operand.types.is_number() {
            return self.arithmetic(instruction, Operation::Add, operand, Operand::integer(by));
        }
        let operand = self.materialise(operand);
        self.settle();
        let (result, integer, float) = (self.code.temporary(I64), self.code.temporary(I32), self.code.temporary(F64));
        let done = self.code.block();
        let slow = self.code.block();
        let floats = self.code.block();
        self.is_integer(operand);
        self.code.put().i32_eqz();
        self.code.go_if(floats);
        self.integer(operand);
        let last = if by > 0 { i32::MAX } else { i32::MIN };
        self.code.put().local_tee(integer).i32_const(last).i32_eq();
        self.code.go_if(floats);
        self.code.put().local_get(integer).i32_const(by).i32_add().i64_extend_i32_u().local_set(result);
        self.code.go(done);
        self.code.end();
        self.is_number(operand);
        self.code.put().i32_eqz();
        self.code.go_if(slow);
        self.number(operand);
        self.code.put().f64_const(f64::from(by).into()).f64_add().local_set(float);
        self.box_float(float);
        self.code.put().local_set(result);
        self.code.go(done);
        self.code.end();
        let opcode = self.unit.opcodes.number(operation);
        self.unary(instruction, opcode, operand, result);
        self.code.end();
        self.code.give_back(integer);
        self.code.give_back(float);
        self.release(operand);
        self.hold(Operand::boxed(result, Types::ANY, true))
    }

    pub fn step_by(&mut self, instruction: &Instruction, by: i32) {
        let operand = self.pop();
        let result = self.stepped(instruction, instruction.operation, operand, by);
        self.push(result);
    }

    pub fn step_variable(&mut self, instruction: &Instruction, by: i32) {
        let index = instruction.operand as usize;
        let variable = self.variable(index);
        let operation = if by > 0 { Operation::Increment } else { Operation::Decrement };
        let result = self.stepped(instruction, operation, variable, by);
        self.put_variable(index, result);
    }

    pub fn post_step(&mut self, instruction: &Instruction, by: i32) {
        let operand = self.pop();
        let mut operand = if operand.types.is_float() { operand } else { self.materialise(operand) };
        if !operand.types.is_number() {
            if operand.unstable {
                operand = self.owned(operand);
            }
            self.is_number(operand);
            self.code.put().i32_eqz();
            self.code.when();
            self.push(operand);
            self.leave_at(instruction.at);
            self.pop();
            self.code.end();
            // It is a number, and owns nothing.
            operand = operand.as_types(Types::NUMBER);
        }
        let kept = self.copied(operand);
        let kept = Operand { owned: true, ..kept };
        self.hold(kept);
        let result = self.arithmetic(instruction, Operation::Add, kept, Operand::integer(by));
        self.push(kept);
        self.push(result);
    }

    pub fn plus(&mut self, instruction: &Instruction) {
        let operand = self.pop();
        if operand.types.is_number() {
            return self.push(operand);
        }
        let operand = self.materialise(operand);
        self.settle();
        let result = self.code.temporary(I64);
        self.is_number(operand);
        self.code.when();
        self.value(operand);
        self.code.put().local_set(result);
        self.code.otherwise();
        self.unary(instruction, i32::from(instruction.opcode), operand, result);
        self.code.end();
        self.release(operand);
        self.push_boxed(result, Types::NUMBER);
    }

    pub fn negate(&mut self, instruction: &Instruction) {
        let operand = self.pop();
        let types = operand.types.of_step();
        if let (Place::Constant(value), true) = (operand.place, operand.types.is_float()) {
            let negated = self.code.temporary(F64);
            self.code.put().f64_const((-float_of(value)).into()).local_set(negated);
            self.one_nan(negated);
            let result = self.hold(Operand::float(negated));
            return self.push(result);
        }
        if operand.types.is_float() {
            let negated = self.code.temporary(F64);
            self.float(operand);
            self.code.put().f64_neg().local_set(negated);
            self.one_nan(negated);
            self.release(operand);
            let result = self.hold(Operand::float(negated));
            return self.push(result);
        }
        let operand = self.materialise(operand);
        self.settle();
        let (result, integer, float) = (self.code.temporary(I64), self.code.temporary(I32), self.code.temporary(F64));
        let done = self.code.block();
        let slow = self.code.block();
        let floats = self.code.block();
        if operand.types.may_be(Types::INTEGER) {
            self.is_integer(operand);
            self.code.put().i32_eqz();
            self.code.go_if(floats);
            self.integer(operand);
            // Neither 0, which becomes -0, nor the least, which has no opposite.
            self.code.put().local_tee(integer).i32_const(i32::MAX).i32_and().i32_eqz();
            self.code.go_if(floats);
            self.code.put().i32_const(0).local_get(integer).i32_sub().i64_extend_i32_u().local_set(result);
            self.code.go(done);
        }
        self.code.end();
        if !operand.types.is_number() {
            self.is_number(operand);
            self.code.put().i32_eqz();
            self.code.go_if(slow);
        }
        self.number(operand);
        self.code.put().f64_neg().local_set(float);
        self.one_nan(float);
        self.box_float(float);
        self.code.put().local_set(result);
        self.code.go(done);
        self.code.end();
        if operand.types.is_number() {
            self.code.put().unreachable();
        } else {
            self.unary(instruction, i32::from(instruction.opcode), operand, result);
        }
        self.code.end();
        self.code.give_back(integer);
        self.code.give_back(float);
        self.release(operand);
        self.push_boxed(result, types);
    }

    /// A change of sign is the one operation that makes another NaN of a NaN.
    fn one_nan(&mut self, float: u32) {
        self.code.put().local_get(float).f64_const(f64::NAN.into()).local_get(float).local_get(float).f64_eq().select();
        self.code.put().local_set(float);
    }

    pub fn invert(&mut self, instruction: &Instruction) {
        let operand = self.pop();
        let operand = self.materialise(operand);
        self.settle();
        let result = self.code.temporary(I64);
        let types = if operand.types.is_number() { Types::INTEGER } else { Types::ANY };
        self.is_integer(operand);
        self.code.when();
        self.value(operand);
        self.code.put().i64_const(LOW_HALF).i64_xor().local_set(result);
        self.code.otherwise();
        self.unary(instruction, i32::from(instruction.opcode), operand, result);
        self.code.end();
        self.release(operand);
        self.push_boxed(result, types);
    }

    /// `variable += operand`, in place for a string that only the variable holds.
    pub fn add_to_variable(&mut self, instruction: &Instruction) {
        let index = instruction.operand as usize;
        let Some(boxed) = self.variables[index].boxed else { return self.step(instruction) };
        let added = self.pop();
        let variable = self.variable(index);
        if variable.types.is_number() && added.types.is_number() {
            let sum = self.arithmetic(instruction, Operation::Add, variable, added);
            return self.put_variable(index, sum);
        }
        if let Place::Float(float) = variable.place {
            self.box_float(float);
            self.code.put().local_set(boxed);
        }
        let variable = Operand::boxed(boxed, variable.types, false);
        let added = self.prepared(added);
        let added = self.owned(added);
        self.settle();
        self.detach(boxed);
        let (wide, float) = (self.code.temporary(I64), self.code.temporary(F64));
        let done = self.code.block();
        let slow = self.code.block();
        let floats = self.code.block();
        if Self::may_be_integers(variable, added) {
            self.both_integers(variable, added);
            self.code.put().i32_eqz();
            self.code.go_if(floats);
            self.integer_operation(Operation::Add, variable, added, (boxed, float), [floats, done]);
        }
        self.code.end();
        self.unless_numbers([variable, added], slow);
        self.number(variable);
        self.number(added);
        self.code.put().f64_add().local_set(float);
        self.box_float(float);
        self.code.put().local_set(boxed);
        self.code.go(done);
        self.code.end();
        // From here on the variable is what it is in the frame.
        let (frame, place, pc) = (self.frame, self.layout.variables + 8 * index as u32, self.pc_behind(instruction));
        let failed = self.code.temporary(I32);
        self.variable_types[index] = Types::ANY;
        self.held[index] = Types::ANY;
        self.code.put().local_get(frame).local_get(boxed).i64_store(long(place));
        self.code.put().local_get(frame).i32_const(place as i32).i32_add();
        self.own_value(added);
        self.code.put().i32_const(pc).call(Helper::AddTo.index()).local_set(failed);
        self.code.put().local_get(frame).i64_load(long(place)).local_set(boxed).local_get(failed);
        self.throw_if(StackEnd::Here);
        self.code.end();
        self.write_through(index);
        self.code.give_back(failed);
        self.code.give_back(wide);
        self.code.give_back(float);
        self.release(added);
    }
}
