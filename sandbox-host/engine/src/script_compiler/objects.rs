//! Properties by name, with a cell in memory for each place in the source that says where the last one was found (`PropertyCell` in
//! `compiled.c`, `shared.rs`), and elements of arrays by index.
use super::body::Body;
use super::bytecode::Instruction;
use super::code::{Label, half, long, word};
use super::exits::StackEnd;
use super::helpers::Helper;
use super::operands::Operand;
use super::shared::Shared;
use super::types::Types;
use wasm_encoder::ValType::{I32, I64};

impl Body<'_> {
    /// The receiver of what may run code of the author's: in a local, and independent of what that code changes.
    fn receiver(&mut self, operand: Operand) -> Operand {
        let operand = if operand.unstable { self.owned(operand) } else { operand };
        self.materialise(operand)
    }

    /// Looks a property up with a function of the module or, where there is no cell for it, with the helper that it calls.
    fn look_up(&mut self, instruction: &Instruction, receiver: Operand, [shared, helper]: [u32; 2]) -> u32 {
        let (pc, cell, result) = (self.pc_behind(instruction), self.unit.cell(), self.code.temporary(I64));
        self.value(receiver);
        self.code.put().i32_const(instruction.operand).i32_const(pc).i32_const(cell.unwrap_or(0));
        self.code.put().call(if cell.is_some() { shared } else { helper }).local_set(result);
        result
    }

    pub fn get_field(&mut self, instruction: &Instruction) {
        let receiver = self.pop();
        let receiver = self.materialise(receiver);
        self.settle();
        let result = self.look_up(instruction, receiver, [self.unit.shared(Shared::GetField), Helper::GetField.index()]);
        self.free(receiver);
        self.throw_if_exception(result);
        self.push_boxed(result, Types::ANY);
    }

    /// The receiver stays, for the call that follows.
    pub fn get_method(&mut self, instruction: &Instruction) {
        let receiver = self.pop();
        let receiver = self.receiver(receiver);
        self.settle();
        let result = self.look_up(instruction, receiver, [self.unit.shared(Shared::GetMethod), Helper::GetMethod.index()]);
        self.push(receiver);
        self.throw_if_exception(result);
        self.push_boxed(result, Types::ANY);
    }

    pub fn put_field(&mut self, instruction: &Instruction) {
        let value = self.pop();
        let receiver = self.pop();
        let receiver = self.materialise(receiver);
        self.settle();
        let (pc, cell) = (self.pc_behind(instruction), self.unit.cell());
        let function = if cell.is_some() { self.unit.shared(Shared::PutField) } else { Helper::PutField.index() };
        self.value(receiver);
        self.own_value(value);
        self.code.put().i32_const(instruction.operand).i32_const(pc).i32_const(cell.unwrap_or(0)).call(function);
        self.release(value);
        self.free_then_throw(receiver);
    }

    /// With whether something was thrown on the Wasm stack.
    fn free_then_throw(&mut self, receiver: Operand) {
        let failed = self.code.temporary(I32);
        self.code.put().local_set(failed);
        self.free(receiver);
        self.code.put().local_get(failed);
        self.throw_if(StackEnd::Here);
        self.code.give_back(failed);
    }

    /// Frees an operand on one of several ways; it is released where they meet.
    fn free_in_place(&mut self, operand: Operand) {
        if let (true, Some(local)) = (operand.owned, operand.local()) {
            self.free_local(local, operand.types);
        }
    }

    /// Fills `object` with an array and `index` with an index of an element that it has, or goes to `slow`. Leaves the element's address.
    fn element_address(&mut self, receiver: Operand, key: Operand, [object, index]: [u32; 2], slow: Label) {
        let at = self.places();
        self.unless_object(receiver, slow);
        if !key.types.is_integer() {
            self.is_integer(key);
            self.code.put().i32_eqz();
            self.code.go_if(slow);
        }
        self.value(receiver);
        self.code.put().i32_wrap_i64().local_tee(object).i32_load16_u(half(at.object_class));
        self.code.put().i32_const(at.class_array as i32).i32_ne();
        self.code.go_if(slow);
        self.value(key);
        self.code.put().i32_wrap_i64().local_tee(index).local_get(object).i32_load(word(at.array_count)).i32_ge_u();
        self.code.go_if(slow);
        self.code.put().local_get(object).i32_load(word(at.array_values)).local_get(index).i32_const(3).i32_shl().i32_add();
    }

    pub fn get_element(&mut self, instruction: &Instruction, keeps: bool) {
        let key = self.pop();
        let key = self.materialise(key);
        let receiver = self.pop();
        let receiver = if keeps { self.receiver(receiver) } else { self.materialise(receiver) };
        self.settle();
        let (result, pc) = (self.code.temporary(I64), self.pc_behind(instruction));
        if self.is_inline() {
            let (object, index) = (self.code.temporary(I32), self.code.temporary(I32));
            let done = self.code.block();
            let slow = self.code.block();
            self.element_address(receiver, key, [object, index], slow);
            self.code.put().i64_load(long(0)).local_set(result);
            self.retain_local(result, Types::ANY);
            self.code.go(done);
            self.code.end();
            self.value(receiver);
            self.value(key);
            let shared = self.unit.shared(Shared::GetElement);
            self.code.put().i32_const(pc).call(shared).local_set(result);
            self.code.end();
            self.code.give_back(object);
            self.code.give_back(index);
        } else {
            self.value(receiver);
            self.value(key);
            let shared = self.unit.shared(Shared::GetElement);
            self.code.put().i32_const(pc).call(shared).local_set(result);
        }
        self.free(key);
        if keeps {
            self.push(receiver);
        } else {
            self.free(receiver);
        }
        self.throw_if_exception(result);
        self.push_boxed(result, Types::ANY);
    }

    /// In loops, an element that is there is replaced here.
    pub fn put_element(&mut self, instruction: &Instruction) {
        let value = self.pop();
        let key = self.pop();
        let key = self.materialise(key);
        let receiver = self.pop();
        let receiver = self.materialise(receiver);
        self.settle();
        let pc = self.pc_behind(instruction);
        let slow = |body: &mut Self, value: Operand| {
            body.value(receiver);
            body.own_value(key);
            body.own_value(value);
            body.code.put().i32_const(pc).call(Helper::PutElement.index());
        };
        if !self.is_inline() {
            slow(self, value);
            self.release(value);
            self.release(key);
            return self.free_then_throw(receiver);
        }
        let value = self.materialise(value);
        let value = self.owned(value);
        let (object, index, old) = (self.code.temporary(I32), self.code.temporary(I32), self.code.temporary(I64));
        let done = self.code.block();
        let slowly = self.code.block();
        self.element_address(receiver, key, [object, index], slowly);
        self.code.put().local_tee(index).i64_load(long(0)).local_set(old).local_get(index);
        self.value(value);
        self.code.put().i64_store(long(0));
        self.free_local(old, Types::ANY);
        self.free_in_place(receiver);
        self.code.go(done);
        self.code.end();
        slow(self, value);
        let failed = self.code.temporary(I32);
        self.code.put().local_set(failed);
        self.free_in_place(receiver);
        self.code.put().local_get(failed);
        self.throw_if(StackEnd::Here);
        self.code.end();
        self.code.give_back(failed);
        self.code.give_back(object);
        self.code.give_back(index);
        self.code.give_back(old);
        self.release(value);
        self.release(key);
        self.release(receiver);
    }

    pub fn object(&mut self, instruction: &Instruction) {
        self.settle();
        let (pc, object) = (self.pc_behind(instruction), self.code.temporary(I64));
        self.code.put().i32_const(pc).call(Helper::Object.index()).local_set(object);
        self.throw_if_exception(object);
        self.push_boxed(object, Types::OTHER);
    }

    pub fn array_of(&mut self, instruction: &Instruction) {
        self.settle();
        let count = instruction.operand as usize;
        let base = self.stack.len() - count;
        for place in base..self.stack.len() {
            let operand = self.stack[place];
            self.spill(operand, place);
            self.release(operand);
        }
        self.stack.truncate(base);
        let (frame, array, at) = (self.frame, self.code.temporary(I64), self.layout.stack + 8 * base as u32);
        let pc = self.pc_behind(instruction);
        self.code.put().i32_const(pc).i32_const(count as i32).local_get(frame).i32_const(at as i32).i32_add();
        self.code.put().call(Helper::Array.index()).local_set(array);
        self.throw_if_exception(array);
        self.push_boxed(array, Types::OTHER);
    }

    /// Of an object literal, or of a new object's: the object stays.
    pub fn define_field(&mut self, instruction: &Instruction) {
        let value = self.pop();
        let object = self.pop();
        let object = self.receiver(object);
        self.settle();
        self.push(object);
        let pc = self.pc_behind(instruction);
        self.value(object);
        self.own_value(value);
        self.release(value);
        self.code.put().i32_const(instruction.operand).i32_const(pc).call(Helper::DefineField.index());
        self.throw_if(StackEnd::Here);
    }

    /// Iterator and method are where the helper finds them; what lies between them and the top stays where it is.
    pub fn for_of_next(&mut self, instruction: &Instruction) {
        self.settle();
        let height = self.stack.len();
        let base = height - instruction.pops as usize;
        let (frame, layout, pc) = (self.frame, self.layout, self.pc_behind(instruction));
        let place_of = |place: usize| layout.stack + 8 * place as u32;
        for place in [base, base + 1] {
            let operand = self.stack[place];
            self.spill(operand, place);
            self.release(operand);
        }
        let failed = self.code.temporary(I32);
        let offset = base as i32 - height as i32;
        self.code.put().i32_const(pc).local_get(frame).i32_const(place_of(height) as i32).i32_add();
        self.code.put().i32_const(offset).call(Helper::ForOfNext.index()).local_set(failed);
        for place in [base, base + 1] {
            let local = self.code.temporary(I64);
            self.code.put().local_get(frame).i64_load(long(place_of(place))).local_set(local);
            self.stack[place] = self.hold(Operand::boxed(local, Types::ANY, true));
        }
        self.code.put().local_get(failed);
        self.throw_if(StackEnd::Here);
        self.code.put().local_get(frame).i64_load(long(place_of(height + 1))).i32_wrap_i64().local_set(failed);
        let value = self.code.temporary(I64);
        self.code.put().local_get(frame).i64_load(long(place_of(height))).local_set(value);
        self.push_boxed(value, Types::ANY);
        self.push_condition(failed);
    }
}
