//! Arithmetic: integers and floats inline, exactly as the interpreter does, all else through its own slow paths.
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
use super::body::Body;
use super::bytecode::Instruction;
use super::code::Label;
use super::helpers::Helper;
use super::operands::{Operand, Place};
use super::operation::Operation;
use super::shared::Shared;
use super::types::Types;
use wasm_encoder::ValType::{F64, I32, I64};

pub const LOW_HALF: i64 = 0xffff_ffff;
/// 2^63
pub const LARGEST: f64 = 9_223_372_036_854_775_808.0;

impl Body<'_> {
    /// As an operand that may be looked at several times: constants and floats as they are.
    pub fn prepared(&mut self, operand: Operand) -> Operand {
        match operand.place {
            Place::Constant(_) if operand.types.is_number() => operand,
            Place::Float(_) => operand,
            _ => self.materialise(operand),
        }
    }

    /// Leaves whether both are integers, one of which is not known to be.
    pub fn both_integers(&mut self, left: Operand, right: Operand) {
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

    pub fn may_be_integers(left: Operand, right: Operand) -> bool {
        left.types.may_be(Types::INTEGER) && right.types.may_be(Types::INTEGER)
    }

    pub fn are_integers(left: Operand, right: Operand) -> bool {
        left.types.is_integer() && right.types.is_integer()
    }

    pub fn unless_numbers(&mut self, operands: [Operand; 2], label: Label) {
        for operand in operands {
            if !operand.types.is_number() {
                self.is_number(operand);
                self.code.put().i32_eqz();
                self.code.go_if(label);
            }
        }
    }

    /// Leaves a number that was checked to be one.
    pub fn number(&mut self, operand: Operand) {
        let types = if operand.types.is_number() { operand.types } else { Types::NUMBER };
        self.float(operand.as_types(types));
    }

    /// The interpreter's slow path, into the local.
    pub fn binary(&mut self, instruction: &Instruction, left: Operand, right: Operand, result: u32) {
        if let Some((pc, owned)) = self.shared {
            for (bit, operand) in [(1, left), (2, right)] {
                self.code.put().local_get(owned).i32_const(bit).i32_and().i32_eqz();
                self.code.when();
                self.own_value(operand);
                self.code.put().drop();
                self.code.end();
            }
            self.value(left);
            self.value(right);
            self.code.put().local_get(pc).call(Helper::Binary.index()).local_set(result);
            return;
        }
        let pc = self.pc_behind(instruction);
        self.own_value(left);
        self.own_value(right);
        self.code.put().i32_const(pc).call(Helper::Binary.index()).local_set(result);
        self.throw_if_exception(result);
    }

    /// The operator, as a call of what the module has once.
    pub fn call_operator(&mut self, instruction: &Instruction, operation: Operation, [left, right]: [Operand; 2], result: u32) {
        let Some(shared) = Shared::of(operation) else { return self.refuse("an operator has no function") };
        let index = self.unit.shared(shared);
        let pc = self.pc_behind(instruction);
        let owned = [left, right].map(|operand| operand.owned && operand.types.is_counted());
        if !(left.types.is_number() && right.types.is_number()) {
            self.settle();
        }
        self.value(left);
        self.value(right);
        self.code.put().i32_const(pc).i32_const(i32::from(owned[0]) | i32::from(owned[1]) << 1).call(index).local_set(result);
        self.release(left);
        self.release(right);
    }

    pub fn unary(&mut self, instruction: &Instruction, opcode: i32, operand: Operand, result: u32) {
        let pc = self.pc_behind(instruction);
        self.own_value(operand);
        self.code.put().i32_const(pc).i32_const(opcode).call(Helper::Unary.index()).local_set(result);
        self.throw_if_exception(result);
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
        if !self.is_inline() {
            let result = self.code.temporary(I64);
            self.call_operator(instruction, operation, [left, right], result);
            if !are_numbers {
                self.throw_if_exception(result);
            }
            return self.hold(Operand::boxed(result, types, true));
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
    pub fn integer_operation(
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
}
