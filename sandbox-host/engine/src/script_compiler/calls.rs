//! Calls: of the function that is probably meant, if that is compiled into the same module, of any compiled function through the table, and of
//! everything else through the interpreter.
use super::body::Body;
use super::bytecode::Instruction;
use super::code::{Label, half, long, word};
use super::helpers::Helper;
use super::operands::{OBJECT, UNDEFINED};
use super::shared::Shared;
use super::types::Types;
use wasm_encoder::ValType::{I32, I64};

impl Body<'_> {
    /// Function, receiver if it is a method's, arguments: all go to the stack in the frame, where the callee finds its arguments and may change
    /// them. All are freed before it is known whether something was thrown. Returns the local of the result.
    pub fn call(&mut self, instruction: &Instruction, is_method: bool) -> u32 {
        self.settle();
        let count = instruction.operand as usize;
        let height = self.stack.len();
        let function_place = height - count - 1;
        let base = function_place - usize::from(is_method);
        let callee = self.stack[function_place].callee.filter(|_| !is_method);
        let is_counted: Vec<bool> = self.stack[function_place + 1..].iter().map(|operand| operand.types.is_counted()).collect();
        self.spill_from(base);
        let (frame, pc, at) = (self.frame, self.pc_behind(instruction), self.layout.stack + 8 * base as u32);
        let result = self.code.temporary(I64);
        let through = self.unit.shared(if is_method { Shared::CallMethod } else { Shared::Call });
        let call = |body: &mut Self| {
            body.code.put().local_get(frame).i32_const(at as i32).i32_add();
            body.code.put().i32_const(count as i32).i32_const(pc).call(through).local_set(result);
        };
        match callee {
            Some(callee) => {
                let done = self.code.block();
                let other = self.code.block();
                self.call_known(callee, [at, pc as u32], &is_counted, result, other);
                self.code.go(done);
                self.code.end();
                call(self);
                self.code.end();
            }
            None => call(self),
        }
        self.throw_if_exception(result);
        result
    }

    /// A function of the unit, if the function that lies at `at` in the frame is that one; else it goes to `other`.
    fn call_known(&mut self, callee: usize, [at, pc]: [u32; 2], is_counted: &[bool], result: u32, other: Label) {
        let (places, frame) = (self.places(), self.frame);
        let (function, object) = (self.code.temporary(I64), self.code.temporary(I32));
        let known = &self.unit.functions[callee];
        let put = &mut self.code;
        put.put().local_get(frame).i64_load(long(at)).local_tee(function).i64_const(OBJECT as i64).i64_lt_u();
        put.go_if(other);
        put.put().local_get(function).i32_wrap_i64().local_tee(object).i32_load16_u(half(places.object_class));
        put.put().i32_const(places.class_function as i32).i32_ne();
        put.go_if(other);
        // By its index: where its bytecode was, that of another may be by now.
        put.put().local_get(object).i32_load(word(places.object_bytecode)).i32_load(word(places.bytecode_compiled));
        put.put().i32_const(self.unit.table_index(callee) as i32).i32_ne();
        put.go_if(other);
        put.put().local_get(frame).i32_const(pc as i32).i32_store(word(places.frame_pc));
        put.put()
            .i32_const(self.function.realm as i32)
            .local_get(function)
            .i64_const(UNDEFINED as i64)
            .i64_const(UNDEFINED as i64);
        put.put().i32_const(is_counted.len() as i32).local_get(frame).i32_const(at as i32 + 8).i32_add().i32_const(0);
        put.put().call(self.unit.function_index(callee)).local_set(result);
        self.free_shared(function);
        for (place, is_counted) in is_counted.iter().enumerate() {
            // A callee that leaves its arguments alone leaves numbers numbers.
            if *is_counted || !known.keeps_arguments {
                self.code.put().local_get(frame).i64_load(long(at + 8 * (place as u32 + 1))).local_set(function);
                self.free_local(function, Types::ANY);
            }
        }
        self.code.give_back(function);
        self.code.give_back(object);
    }

    /// All operands from a place on go to the frame.
    pub fn spill_from(&mut self, base: usize) {
        for place in base..self.stack.len() {
            let operand = self.stack[place];
            self.spill(operand, place);
            self.release(operand);
        }
        self.stack.truncate(base);
    }

    pub fn construct(&mut self, instruction: &Instruction) {
        self.settle();
        let count = instruction.operand as usize;
        let base = self.stack.len() - count - 2;
        self.spill_from(base);
        let (frame, at, pc) = (self.frame, self.layout.stack + 8 * base as u32, self.pc_behind(instruction));
        let result = self.code.temporary(I64);
        self.code.put().local_get(frame).i32_const(at as i32).i32_add().i32_const(count as i32).i32_const(pc);
        self.code.put().call(Helper::Construct.index()).local_set(result);
        self.throw_if_exception(result);
        self.push_boxed(result, Types::ANY);
    }
}
