//! Calls: of the function that is probably meant, if that is compiled into the same module, of any compiled function through the table, and of
//! everything else through the interpreter.
use super::body::{Body, StackEnd};
use super::bytecode::Instruction;
use super::code::{half, long, word};
use super::helpers::Helper;
use super::operands::{OBJECT_HIGH, UNDEFINED};
use super::types::Types;
use wasm_encoder::ValType::{I32, I64};

impl Body<'_> {
    /// Function, receiver if it is a method's, arguments: all go to the stack in the frame, where the callee finds its arguments and may change
    /// them. Returns the local of the result.
    pub fn call(&mut self, instruction: &Instruction, is_method: bool) -> u32 {
        self.settle();
        let at = self.places();
        let count = instruction.operand as usize;
        let height = self.stack.len();
        let function_place = height - count - 1;
        let base = function_place - usize::from(is_method);
        let callee = self.stack[function_place].callee;
        let (function, receiver) = (self.code.temporary(I64), self.code.temporary(I64));
        let (object, target) = (self.code.temporary(I32), self.code.temporary(I32));
        let result = self.code.temporary(I64);
        let (frame, layout) = (self.frame, self.layout);
        let mut is_counted = Vec::new();
        for place in base..height {
            let operand = self.stack[place];
            let kept = if place == function_place {
                function
            } else if place < function_place {
                receiver
            } else {
                is_counted.push(operand.types.is_counted());
                self.spill(operand, place);
                self.release(operand);
                continue;
            };
            self.own_value(operand);
            self.code.put().local_set(kept).local_get(frame).local_get(kept).i64_store(long(layout.stack + 8 * place as u32));
            self.release(operand);
        }
        self.stack.truncate(base);
        let pc = self.pc_behind(instruction);
        self.code.put().local_get(frame).i32_const(pc).i32_store(word(at.frame_pc));
        let arguments_at = layout.stack + 8 * (function_place as u32 + 1);
        let pass = |body: &mut Self| {
            body.code.put().i32_const(body.function.realm as i32).local_get(function);
            if is_method {
                body.code.put().local_get(receiver);
            } else {
                body.code.put().i64_const(UNDEFINED as i64);
            }
            body.code.put().i64_const(UNDEFINED as i64).i32_const(count as i32);
            body.code.put().local_get(frame).i32_const(arguments_at as i32).i32_add().i32_const(0);
        };
        let done = self.code.block();
        let called = self.code.block();
        let slow = self.code.block();
        self.code.put().local_get(function).i64_const(32).i64_shr_u().i64_const(OBJECT_HIGH).i64_ne();
        self.code.go_if(slow);
        self.code.put().local_get(function).i32_wrap_i64().local_tee(object).i32_load16_u(half(at.object_class));
        self.code.put().i32_const(at.class_function as i32).i32_ne();
        self.code.go_if(slow);
        self.code
            .put()
            .local_get(object)
            .i32_load(word(at.object_bytecode))
            .i32_load(word(at.bytecode_compiled))
            .local_set(target);
        if let Some(callee) = callee {
            // By its index: where its bytecode was, that of another may be by now.
            self.code.put().local_get(target).i32_const(self.unit.table_index(callee) as i32).i32_eq();
            self.code.when();
            pass(self);
            self.code.put().call(self.unit.function_index(callee)).local_set(result);
            self.end_call(instruction, result, height);
            // A callee that leaves its arguments alone leaves numbers numbers.
            let keeps_kinds = self.unit.functions[callee].keeps_arguments;
            self.free_arguments(function_place + 1, &is_counted, keeps_kinds);
            self.code.go(done);
            self.code.end();
        }
        self.code.put().local_get(target).i32_eqz();
        self.code.go_if(slow);
        pass(self);
        self.code.put().local_get(target).call_indirect(0, self.unit.compiled_type()).local_set(result);
        self.code.go(called);
        self.code.end();
        self.code.put().local_get(frame).i32_const(pc).local_get(function);
        if is_method {
            self.code.put().local_get(receiver);
        } else {
            self.code.put().i64_const(UNDEFINED as i64);
        }
        self.code.put().i32_const(count as i32).local_get(frame).i32_const(arguments_at as i32).i32_add();
        self.code.put().call(Helper::Call.index()).local_set(result);
        self.code.end();
        self.end_call(instruction, result, height);
        self.free_arguments(function_place + 1, &is_counted, false);
        self.code.end();
        self.free_shared(function);
        if is_method {
            self.free_shared(receiver);
        }
        for local in [function, receiver, object, target] {
            self.code.give_back(local);
        }
        result
    }

    /// The interpreter frees what was passed, if it threw.
    fn end_call(&mut self, instruction: &Instruction, result: u32, height: usize) {
        self.code.put().local_get(result).i64_const(super::operands::EXCEPTION as i64).i64_eq();
        self.code.when();
        self.leave_at(instruction.next, true, StackEnd::At(height));
        self.code.end();
    }

    fn free_arguments(&mut self, from: usize, is_counted: &[bool], only_counted: bool) {
        let (frame, argument) = (self.frame, self.code.temporary(I64));
        for (place, is_counted) in (from..).zip(is_counted) {
            if *is_counted || !only_counted {
                self.code.put().local_get(frame).i64_load(long(self.layout.stack + 8 * place as u32)).local_set(argument);
                self.free_local(argument, Types::ANY);
            }
        }
        self.code.give_back(argument);
    }

    pub fn construct(&mut self, instruction: &Instruction) {
        self.settle();
        let count = instruction.operand as usize;
        let height = self.stack.len();
        let base = height - count - 2;
        for place in base..height {
            let operand = self.stack[place];
            self.spill(operand, place);
            self.release(operand);
        }
        self.stack.truncate(base);
        let (frame, layout, pc) = (self.frame, self.layout, self.pc_behind(instruction));
        let place_of = |place: usize| layout.stack + 8 * place as u32;
        let result = self.code.temporary(I64);
        self.code.put().local_get(frame).i32_const(pc).local_get(frame).i64_load(long(place_of(base)));
        self.code.put().local_get(frame).i64_load(long(place_of(base + 1))).i32_const(count as i32);
        self.code.put().local_get(frame).i32_const(place_of(base + 2) as i32).i32_add();
        self.code.put().call(Helper::Construct.index()).local_set(result);
        self.end_call(instruction, result, height);
        self.free_arguments(base, &vec![true; count + 2], false);
        self.push_boxed(result, Types::ANY);
    }
}
