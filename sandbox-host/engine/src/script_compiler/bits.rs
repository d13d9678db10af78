//! Operators on the 32 bits of numbers: `numbers.rs` draws the ways.
use super::body::Body;
use super::bytecode::Instruction;
use super::code::Label;
use super::numbers::LARGEST;
use super::operands::Operand;
use super::operation::Operation;
use super::types::Types;
use wasm_encoder::ValType::{F64, I32, I64};

impl Body<'_> {
    /// Leaves the number, which was checked to be one, as the 32 bits that it is to operators on bits; goes to `slow` beyond 63 bits.
    pub fn bits(&mut self, operand: Operand, slow: Label) {
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

    pub fn bitwise(&mut self, instruction: &Instruction, left: Operand, right: Operand) -> Operand {
        let (left, right) = (self.prepared(left), self.prepared(right));
        let types = Types::of_bitwise(instruction.operation, left.types, right.types);
        if !self.is_inline() && !Self::are_integers(left, right) {
            let result = self.code.temporary(I64);
            let are_numbers = left.types.is_number() && right.types.is_number();
            self.call_operator(instruction, instruction.operation, [left, right], result);
            if !are_numbers {
                self.throw_if_exception(result);
            }
            return self.hold(Operand::boxed(result, types, true));
        }
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
}
