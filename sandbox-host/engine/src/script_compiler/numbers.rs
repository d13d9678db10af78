//! Arithmetic, comparison and their like: integers and floats inline, exactly as the interpreter does, all else through its own slow paths.
//!
//! ```text
//! ┌ done ─────────────────────────────────────────────┐
//! │ ┌ slow ─────────────────────────────────────────┐ │
//! │ │ ┌ floats ─────────────────────────┐           │ │
//! │ │ │ both integers? result ─▶ done   │           │ │
//! │ │ └ overflow, or others ────────────┘           │ │
//! │ │   both numbers? result ─▶ done                │ │
//! │ └ others ───────────────────────────────────────┘ │
//! │   helper                                          │
//! └───────────────────────────────────────────────────┘
//! ```
use super::body::{Body, StackEnd};
use super::bytecode::Instruction;
use super::code::{Label, long};
use super::helpers::Helper;
use super::operands::{Operand, Place, float_of};
use super::operation::Operation;
use super::types::Types;
use wasm_encoder::ValType::{F64, I32, I64};

const LOW_HALF: i64 = 0xffff_ffff;
/// 2^63
const LARGEST: f64 = 9_223_372_036_854_775_808.0;

impl Body<'_> {
    /// As an operand that may be looked at several times: constants and floats as they are.
    fn prepared(&mut self, operand: Operand) -> Operand {
        match operand.place {
            Place::Constant(_) if operand.types.is_number() => operand,
            Place::Float(_) => operand,
            _ => self.materialise(operand),
        }
    }

    /// Leaves whether both are integers, one of which is not known to be.
    fn both_integers(&mut self, left: Operand, right: Operand) {
        match (left.types.is_integer(), right.types.is_integer()) {
            (true, _) => self.is_integer(right),
            (_, true) => self.is_integer(left),
            _ => {
                self.value(left);
                self.value(right);
                self.code.put().i64_or().i64_const(32).i64_shr_u().i64_eqz();
            }
        }
    }

    fn may_be_integers(left: Operand, right: Operand) -> bool {
        left.types.may_be(Types::INTEGER) && right.types.may_be(Types::INTEGER)
    }

    fn are_integers(left: Operand, right: Operand) -> bool {
        left.types.is_integer() && right.types.is_integer()
    }

    fn unless_numbers(&mut self, operands: [Operand; 2], label: Label) {
        for operand in operands {
            if !operand.types.is_number() {
                self.is_number(operand);
                self.code.put().i32_eqz();
                self.code.go_if(label);
            }
        }
    }

    /// Leaves a number that was checked to be one.
    fn number(&mut self, operand: Operand) {
        let types = if operand.types.is_number() { operand.types } else { Types::NUMBER };
        self.float(operand.as_types(types));
    }

    /// The interpreter's slow path, into the local.
    fn binary(&mut self, instruction: &Instruction, left: Operand, right: Operand, result: u32) {
        let (frame, pc) = (self.frame, self.pc_behind(instruction));
        self.code.put().local_get(frame).i32_const(pc).i32_const(i32::from(instruction.opcode));
        self.own_value(left);
        self.own_value(right);
        self.code.put().call(Helper::Binary.index()).local_set(result);
        self.throw_if_exception(result, instruction);
    }

    fn unary(&mut self, instruction: &Instruction, opcode: i32, operand: Operand, result: u32) {
        let (frame, pc) = (self.frame, self.pc_behind(instruction));
        self.code.put().local_get(frame).i32_const(pc).i32_const(opcode);
        self.own_value(operand);
        self.code.put().call(Helper::Unary.index()).local_set(result);
        self.throw_if_exception(result, instruction);
    }

    pub fn arithmetic(&mut self, instruction: &Instruction, operation: Operation, left: Operand, right: Operand) -> Operand {
        let (left, right) = (self.prepared(left), self.prepared(right));
        let types = Types::of_arithmetic(operation, left.types, right.types);
        let are_numbers = left.types.is_number() && right.types.is_number();
        if types.is_float() {
            let result = self.code.temporary(F64);
            self.float(left);
            self.float(right);
            self.float_operation(operation);
            self.code.put().local_set(result);
            self.release(left);
            self.release(right);
            return self.hold(Operand::float(result));
        }
        if !are_numbers {
            self.settle();
        }
        let (result, float) = (self.code.temporary(I64), self.code.temporary(F64));
        let done = self.code.block();
        let slow = self.code.block();
        let floats = self.code.block();
        if Self::may_be_integers(left, right) {
            if !Self::are_integers(left, right) {
                self.both_integers(left, right);
                self.code.put().i32_eqz();
                self.code.go_if(floats);
            }
            self.integer_operation(operation, left, right, (result, float), [floats, done]);
        }
        self.code.end();
        self.unless_numbers([left, right], slow);
        self.number(left);
        self.number(right);
        self.float_operation(operation);
        self.code.put().local_set(float);
        // Of two integers, the interpreter makes an integer of a quotient or a remainder that is one.
        if matches!(operation, Operation::Divide | Operation::Remainder) && Self::may_be_integers(left, right) {
            if !Self::are_integers(left, right) {
                self.both_integers(left, right);
                self.code.when();
                self.integer_if_exact(float, result);
                self.code.go(done);
                self.code.end();
            } else {
                self.integer_if_exact(float, result);
                self.code.go(done);
            }
        }
        self.box_float(float);
        self.code.put().local_set(result);
        self.code.go(done);
        self.code.end();
        if are_numbers {
            self.code.put().unreachable();
        } else {
            self.binary(instruction, left, right, result);
        }
        self.code.end();
        self.code.give_back(float);
        self.release(left);
        self.release(right);
        self.hold(Operand::boxed(result, types, true))
    }

    fn float_operation(&mut self, operation: Operation) {
        if operation == Operation::Remainder {
            return self.remainder();
        }
        let mut put = self.code.put();
        match operation {
            Operation::Add => put.f64_add(),
            Operation::Subtract => put.f64_sub(),
            Operation::Multiply => put.f64_mul(),
            _ => put.f64_div(),
        };
    }

    /// Of the two floats on the Wasm stack. Of positive whole numbers, which need not be small, without the C library: exactly the same.
    fn remainder(&mut self) {
        let [left, right] = [self.code.temporary(F64), self.code.temporary(F64)];
        let [whole_left, whole_right] = [self.code.temporary(I64), self.code.temporary(I64)];
        self.code.put().local_set(right).local_set(left);
        for (float, whole) in [(left, whole_left), (right, whole_right)] {
            self.code.put().local_get(float).i64_trunc_sat_f64_s().local_tee(whole).f64_convert_i64_s().local_get(float).f64_eq();
            self.code.put().local_get(whole).i64_const(0).i64_gt_s().i32_and();
        }
        // What is too large for 64 bits would seem to be the largest of them, which as a float is 2^63.
        self.code.put().i32_and().local_get(left).f64_const(LARGEST.into()).f64_lt().i32_and();
        self.code.put().local_get(right).f64_const(LARGEST.into()).f64_lt().i32_and();
        self.code.when_giving(F64);
        self.code.put().local_get(whole_left).local_get(whole_right).i64_rem_u().f64_convert_i64_s();
        self.code.otherwise();
        self.code.put().local_get(left).local_get(right).call(Helper::Remainder.index());
        self.code.end();
        for local in [left, right, whole_left, whole_right] {
            self.code.give_back(local);
        }
    }

    /// Leaves the number, which was checked to be one, as the 32 bits that it is to operators on bits; goes to `slow` beyond 63 bits.
    fn bits(&mut self, operand: Operand, slow: Label) {
        if operand.types.is_integer() {
            return self.integer(operand);
        }
        let float = self.code.temporary(F64);
        self.number(operand);
        self.code.put().local_tee(float).f64_abs().f64_const(LARGEST.into()).f64_lt().i32_eqz();
        self.code.go_if(slow);
        self.code.put().local_get(float).i64_trunc_sat_f64_s().i32_wrap_i64();
        self.code.give_back(float);
    }

    /// `JS_NewFloat64`: an integer where it is one, bit for bit.
    fn integer_if_exact(&mut self, float: u32, result: u32) {
        let integer = self.code.temporary(I32);
        self.code.put().local_get(float).i32_trunc_sat_f64_s().local_tee(integer).f64_convert_i32_s().i64_reinterpret_f64();
        self.code.put().local_get(float).i64_reinterpret_f64().i64_eq();
        self.code.when();
        self.code.put().local_get(integer).i64_extend_i32_u().local_set(result);
        self.code.otherwise();
        self.box_float(float);
        self.code.put().local_set(result);
        self.code.end();
        self.code.give_back(integer);
    }

    /// On two integers; branches to the first label with what is no integer, and to the second with the result.
    fn integer_operation(
        &mut self,
        operation: Operation,
        left: Operand,
        right: Operand,
        (result, _): (u32, u32),
        [floats, done]: [Label; 2],
    ) {
        match operation {
            Operation::Add | Operation::Subtract | Operation::Multiply => {
                let wide = self.code.temporary(I64);
                self.integer(left);
                self.code.put().i64_extend_i32_s();
                self.integer(right);
                self.code.put().i64_extend_i32_s();
                match operation {
                    Operation::Add => self.code.put().i64_add(),
                    Operation::Subtract => self.code.put().i64_sub(),
                    _ => self.code.put().i64_mul(),
                };
                self.code.put().local_tee(wide).i64_extend32_s().local_get(wide).i64_ne();
                self.code.go_if(floats);
                let may_be_negative_zero =
                    operation == Operation::Multiply && !left.is_positive_constant() && !right.is_positive_constant();
                if may_be_negative_zero {
                    self.code.put().local_get(wide).i64_eqz();
                    self.code.when();
                    self.integer(left);
                    self.integer(right);
                    self.code.put().i32_or().i32_const(0).i32_lt_s();
                    self.code.go_if(floats);
                    self.code.end();
                }
                self.code.put().local_get(wide).i64_const(LOW_HALF).i64_and().local_set(result);
                self.code.give_back(wide);
                self.code.go(done);
            }
            Operation::Remainder => {
                if !left.is_positive_constant() {
                    self.integer(left);
                    self.code.put().i32_const(0).i32_lt_s();
                    self.code.go_if(floats);
                }
                if !right.is_positive_constant() {
                    self.integer(right);
                    self.code.put().i32_const(0).i32_le_s();
                    self.code.go_if(floats);
                }
                self.integer(left);
                self.integer(right);
                self.code.put().i32_rem_u().i64_extend_i32_u().local_set(result);
                self.code.go(done);
            }
            // A quotient is made of floats, as the interpreter's.
            _ => {}
        }
    }

    pub fn bitwise(&mut self, instruction: &Instruction, left: Operand, right: Operand) -> Operand {
        let (left, right) = (self.prepared(left), self.prepared(right));
        let types = Types::of_bitwise(instruction.operation, left.types, right.types);
        if !(left.types.is_number() && right.types.is_number()) {
            self.settle();
        }
        let result = self.code.temporary(I64);
        let done = self.code.block();
        let slow = self.code.block();
        let floats = self.code.block();
        if Self::may_be_integers(left, right) {
            if !Self::are_integers(left, right) {
                self.both_integers(left, right);
                self.code.put().i32_eqz();
                self.code.go_if(floats);
            }
            self.integer(left);
            self.integer(right);
            self.bit_operation(instruction.operation, result);
            self.code.go(done);
        }
        self.code.end();
        if !Self::are_integers(left, right) {
            self.unless_numbers([left, right], slow);
            self.bits(left, slow);
            self.bits(right, slow);
            self.bit_operation(instruction.operation, result);
            self.code.go(done);
        }
        self.code.end();
        if Self::are_integers(left, right) {
            self.code.put().unreachable();
        } else {
            self.binary(instruction, left, right, result);
        }
        self.code.end();
        self.release(left);
        self.release(right);
        self.hold(Operand::boxed(result, types, true))
    }

    /// On the two halves on the Wasm stack, into the local.
    fn bit_operation(&mut self, operation: Operation, result: u32) {
        let mut put = self.code.put();
        match operation {
            Operation::And => put.i32_and(),
            Operation::Or => put.i32_or(),
            Operation::Xor => put.i32_xor(),
            Operation::ShiftLeft => put.i32_shl(),
            Operation::ShiftRight => put.i32_shr_s(),
            _ => put.i32_shr_u(),
        };
        if operation != Operation::ShiftRightUnsigned {
            put.i64_extend_i32_u().local_set(result);
            return;
        }
        // The one whose result may be beyond what an integer holds.
        let (shifted, float) = (self.code.temporary(I32), self.code.temporary(F64));
        self.code.put().local_tee(shifted).i32_const(0).i32_ge_s();
        self.code.when();
        self.code.put().local_get(shifted).i64_extend_i32_u().local_set(result);
        self.code.otherwise();
        self.code.put().local_get(shifted).f64_convert_i32_u().local_set(float);
        self.box_float(float);
        self.code.put().local_set(result);
        self.code.end();
        self.code.give_back(shifted);
        self.code.give_back(float);
    }

    pub fn compare(&mut self, instruction: &Instruction, left: Operand, right: Operand) -> Operand {
        if let Some(result) = self.compare_with_simple(instruction.operation, left, right) {
            return result;
        }
        let (left, right) = (self.prepared(left), self.prepared(right));
        let are_numbers = left.types.is_number() && right.types.is_number();
        if !are_numbers {
            self.settle();
        }
        let result = self.code.temporary(I32);
        let done = self.code.block();
        let slow = self.code.block();
        let floats = self.code.block();
        if Self::may_be_integers(left, right) {
            if !Self::are_integers(left, right) {
                self.both_integers(left, right);
                self.code.put().i32_eqz();
                self.code.go_if(floats);
            }
            self.integer(left);
            self.integer(right);
            let mut put = self.code.put();
            match instruction.operation {
                Operation::Less => put.i32_lt_s(),
                Operation::LessOrEqual => put.i32_le_s(),
                Operation::Greater => put.i32_gt_s(),
                Operation::GreaterOrEqual => put.i32_ge_s(),
                Operation::Equal | Operation::StrictEqual => put.i32_eq(),
                _ => put.i32_ne(),
            };
            put.local_set(result);
            self.code.go(done);
        }
        self.code.end();
        self.unless_numbers([left, right], slow);
        self.number(left);
        self.number(right);
        let mut put = self.code.put();
        match instruction.operation {
            Operation::Less => put.f64_lt(),
            Operation::LessOrEqual => put.f64_le(),
            Operation::Greater => put.f64_gt(),
            Operation::GreaterOrEqual => put.f64_ge(),
            Operation::Equal | Operation::StrictEqual => put.f64_eq(),
            _ => put.f64_ne(),
        };
        put.local_set(result);
        self.code.go(done);
        self.code.end();
        if are_numbers {
            self.code.put().unreachable();
        } else {
            let boxed = self.code.temporary(I64);
            self.binary(instruction, left, right, boxed);
            self.code.put().local_get(boxed).i32_wrap_i64().local_set(result);
            self.code.give_back(boxed);
        }
        self.code.end();
        self.release(left);
        self.release(right);
        self.hold(Operand::condition(result))
    }

    /// Strictly with undefined, null, or a boolean: their bits say it.
    fn compare_with_simple(&mut self, operation: Operation, left: Operand, right: Operand) -> Option<Operand> {
        let is_equal = match operation {
            Operation::StrictEqual => true,
            Operation::StrictNotEqual => false,
            _ => return None,
        };
        let is_simple = |operand: Operand| matches!(operand.place, Place::Constant(_)) && operand.types == Types::SIMPLE;
        let (constant, other) = if is_simple(right) {
            (right, left)
        } else if is_simple(left) {
            (left, right)
        } else {
            return None;
        };
        let other = self.materialise(other);
        let result = self.code.temporary(I32);
        self.value(other);
        self.value(constant);
        if is_equal {
            self.code.put().i64_eq();
        } else {
            self.code.put().i64_ne();
        }
        self.code.put().local_set(result);
        self.free(other);
        Some(self.hold(Operand::condition(result)))
    }

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
            self.leave_at(instruction.at, false, StackEnd::Here);
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
        self.code.put().local_get(frame).i32_const(pc).local_get(frame).i32_const(place as i32).i32_add();
        self.own_value(added);
        self.code.put().call(Helper::AddTo.index()).local_set(failed);
        self.code.put().local_get(frame).i64_load(long(place)).local_set(boxed).local_get(failed);
        self.code.when();
        self.throw(instruction);
        self.code.end();
        self.code.end();
        self.code.give_back(failed);
        self.code.give_back(wide);
        self.code.give_back(float);
        self.release(added);
    }
}
