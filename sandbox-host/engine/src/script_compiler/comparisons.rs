//! Comparisons: of integers and floats inline, as `numbers.rs` has arithmetic; all else through the interpreter's own slow paths.
use super::body::Body;
use super::bytecode::Instruction;
use super::exits::StackEnd;
use super::operands::{Operand, Place};
use super::operation::Operation;
use super::shared::{THREW, is_exception};
use super::types::Types;
use wasm_encoder::ValType::{I32, I64};

impl Body<'_> {
    pub fn compare(&mut self, instruction: &Instruction, left: Operand, right: Operand) -> Operand {
        if let Some(result) = self.compare_with_simple(instruction.operation, left, right) {
            return result;
        }
        let (left, right) = (self.prepared(left), self.prepared(right));
        let are_numbers = left.types.is_number() && right.types.is_number();
        let are_floats = left.types.is_float() && right.types.is_float();
        if !(self.is_inline() || Self::are_integers(left, right) || are_floats) {
            let result = self.code.temporary(I32);
            let is_strict = matches!(instruction.operation, Operation::StrictEqual | Operation::StrictNotEqual);
            self.call_operator(instruction, instruction.operation, [left, right], result);
            if !are_numbers && !is_strict {
                self.code.put().local_get(result).i32_const(THREW).i32_eq();
                self.throw_if(StackEnd::Here);
            }
            return self.hold(Operand::condition(result));
        }
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
            if self.shared.is_some() {
                self.code.put().i32_const(THREW).local_get(boxed).i32_wrap_i64();
                is_exception(&mut self.code, boxed);
                self.code.put().select().local_set(result);
            } else {
                self.code.put().local_get(boxed).i32_wrap_i64().local_set(result);
            }
            self.code.give_back(boxed);
        }
        self.code.end();
        self.release(left);
        self.release(right);
        self.hold(Operand::condition(result))
    }

    /// `in` and `instanceof`.
    pub fn relation(&mut self, instruction: &Instruction, left: Operand, right: Operand) -> Operand {
        let (left, right) = (self.materialise(left), self.materialise(right));
        self.settle();
        let (boxed, result) = (self.code.temporary(I64), self.code.temporary(I32));
        self.binary(instruction, left, right, boxed);
        self.code.put().local_get(boxed).i32_wrap_i64().local_set(result);
        self.code.give_back(boxed);
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
}
