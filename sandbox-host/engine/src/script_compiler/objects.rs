//! Properties by name, with a cell in memory for each place in the source that says where the last one was found (`PropertyCell` in
//! `compiled.c`), and elements of arrays by index.
use super::body::{Body, StackEnd};
use super::bytecode::Instruction;
use super::code::{Label, half, long, word};
use super::helpers::Helper;
use super::operands::Operand;
use super::types::Types;
use wasm_encoder::ValType::{I32, I64};

impl Body<'_> {
    /// The receiver of what may run code of the author's: in a local, and independent of what that code changes.
    fn receiver(&mut self, operand: Operand) -> Operand {
        let operand = if operand.unstable { self.owned(operand) } else { operand };
        self.materialise(operand)
    }

    /// Leaves the address of the property that the cell tells of, or goes to `slow`. `object` and `shape` are filled.
    fn own_property(&mut self, receiver: Operand, cell: Option<u32>, [object, shape]: [u32; 2], slow: Label) {
        let at = self.places();
        let Some(cell) = cell else { return self.code.go(slow) };
        self.unless_object(receiver, slow);
        self.value(receiver);
        self.code.put().i32_wrap_i64().local_tee(object).i32_load(word(at.object_shape)).local_tee(shape);
        self.code.put().i32_load(word(at.shape_id)).i32_const(cell as i32).i32_load(word(at.cell_shape_id)).i32_ne();
        self.code.go_if(slow);
    }

    fn property_address(&mut self, object: u32, cell: Option<u32>) {
        let at = self.places();
        let cell = cell.unwrap_or(0) as i32;
        self.code.put().local_get(object).i32_load(word(at.object_properties));
        self.code.put().i32_const(cell).i32_load(word(at.cell_place)).i32_add();
    }

    fn look_up(&mut self, instruction: &Instruction, helper: Helper, receiver: Operand, cell: Option<u32>, result: u32) {
        let (frame, pc) = (self.frame, self.pc_behind(instruction));
        self.code.put().local_get(frame).i32_const(pc);
        self.value(receiver);
        self.code.put().i32_const(instruction.operand).i32_const(cell.unwrap_or(0) as i32);
        self.code.put().call(helper.index()).local_set(result);
    }

    pub fn get_field(&mut self, instruction: &Instruction) {
        let receiver = self.pop();
        let receiver = self.receiver(receiver);
        self.settle();
        let cell = self.unit.cell();
        let (result, object, shape) = (self.code.temporary(I64), self.code.temporary(I32), self.code.temporary(I32));
        let done = self.code.block();
        let slow = self.code.block();
        self.own_property(receiver, cell, [object, shape], slow);
        self.property_address(object, cell);
        self.code.put().i64_load(long(0)).local_set(result);
        self.retain_local(result, Types::ANY);
        self.code.go(done);
        self.code.end();
        self.look_up(instruction, Helper::GetField, receiver, cell, result);
        self.throw_with(instruction, receiver, result);
        self.code.end();
        self.code.give_back(object);
        self.code.give_back(shape);
        self.free(receiver);
        self.push_boxed(result, Types::ANY);
    }

    /// Leaves if the local holds an exception; the receiver is the interpreter's to free, then.
    fn throw_with(&mut self, instruction: &Instruction, receiver: Operand, result: u32) {
        self.push(receiver);
        self.throw_if_exception(result, instruction);
        self.pop();
    }

    /// The receiver stays, for the call that follows.
    pub fn get_method(&mut self, instruction: &Instruction) {
        let receiver = self.pop();
        let receiver = self.receiver(receiver);
        self.settle();
        let cell = self.unit.cell();
        let at = self.places();
        let (result, object, shape) = (self.code.temporary(I64), self.code.temporary(I32), self.code.temporary(I32));
        let holder_id = self.code.temporary(I32);
        let done = self.code.block();
        let slow = self.code.block();
        self.own_property(receiver, cell, [object, shape], slow);
        let cell_address = cell.unwrap_or(0) as i32;
        self.code.put().i32_const(cell_address).i32_load(word(at.cell_holder_id)).local_tee(holder_id);
        self.code.when();
        // What is exotic may have more properties than its shape tells of.
        self.code.put().local_get(object).i32_load(word(at.object_class_word)).i32_const(at.class_word_mask as i32).i32_and();
        self.code.put().i32_const(cell_address).i32_load(word(at.cell_class_word)).i32_ne();
        self.code.go_if(slow);
        self.code.put().local_get(shape).i32_load(word(at.shape_prototype)).local_tee(object);
        self.code.put().i32_load(word(at.object_shape)).i32_load(word(at.shape_id)).local_get(holder_id).i32_ne();
        self.code.go_if(slow);
        self.code.end();
        self.property_address(object, cell);
        self.code.put().i64_load(long(0)).local_set(result);
        self.retain_local(result, Types::ANY);
        self.code.go(done);
        self.code.end();
        self.look_up(instruction, Helper::GetMethod, receiver, cell, result);
        self.throw_with(instruction, receiver, result);
        self.code.end();
        self.code.give_back(object);
        self.code.give_back(shape);
        self.code.give_back(holder_id);
        self.push(receiver);
        self.push_boxed(result, Types::ANY);
    }

    pub fn put_field(&mut self, instruction: &Instruction) {
        let value = self.pop();
        let value = self.materialise(value);
        let value = self.owned(value);
        let receiver = self.pop();
        let receiver = self.receiver(receiver);
        self.settle();
        let cell = self.unit.cell();
        let (object, shape, old) = (self.code.temporary(I32), self.code.temporary(I32), self.code.temporary(I64));
        let (frame, pc) = (self.frame, self.pc_behind(instruction));
        let done = self.code.block();
        let slow = self.code.block();
        self.own_property(receiver, cell, [object, shape], slow);
        self.property_address(object, cell);
        self.code.put().local_tee(object).i64_load(long(0)).local_set(old).local_get(object);
        self.value(value);
        self.code.put().i64_store(long(0));
        self.free_local(old, Types::ANY);
        self.free_in_place(receiver);
        self.code.go(done);
        self.code.end();
        self.code.put().local_get(frame).i32_const(pc);
        self.own_value(receiver);
        self.own_value(value);
        self.code.put().i32_const(instruction.operand).i32_const(cell.unwrap_or(0) as i32).call(Helper::PutField.index());
        self.code.when();
        self.throw(instruction);
        self.code.end();
        self.code.end();
        self.code.give_back(object);
        self.code.give_back(shape);
        self.code.give_back(old);
        self.release(value);
        self.release(receiver);
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
        let receiver = self.receiver(receiver);
        self.settle();
        let (result, object, index) = (self.code.temporary(I64), self.code.temporary(I32), self.code.temporary(I32));
        let (frame, pc) = (self.frame, self.pc_behind(instruction));
        let done = self.code.block();
        let slow = self.code.block();
        self.element_address(receiver, key, [object, index], slow);
        self.code.put().i64_load(long(0)).local_set(result);
        self.retain_local(result, Types::ANY);
        self.code.go(done);
        self.code.end();
        self.code.put().local_get(frame).i32_const(pc);
        self.value(receiver);
        self.own_value(key);
        self.code.put().call(Helper::GetElement.index()).local_set(result);
        self.throw_with(instruction, receiver, result);
        self.code.end();
        self.code.give_back(object);
        self.code.give_back(index);
        self.release(key);
        if keeps {
            self.push(receiver);
        } else {
            self.free(receiver);
        }
        self.push_boxed(result, Types::ANY);
    }

    /// An element that is there is replaced here; all else is a step of the interpreter's.
    pub fn put_element(&mut self, instruction: &Instruction) {
        let value = self.pop();
        let value = self.materialise(value);
        let value = self.owned(value);
        let key = self.pop();
        let key = self.receiver(key);
        let receiver = self.pop();
        let receiver = self.receiver(receiver);
        self.settle();
        let (object, index, old) = (self.code.temporary(I32), self.code.temporary(I32), self.code.temporary(I64));
        let (frame, base) = (self.frame, self.stack.len());
        let done = self.code.block();
        let slow = self.code.block();
        self.element_address(receiver, key, [object, index], slow);
        self.code.put().local_tee(index).i64_load(long(0)).local_set(old).local_get(index);
        self.value(value);
        self.code.put().i64_store(long(0));
        self.free_local(old, Types::ANY);
        self.free_in_place(receiver);
        self.code.go(done);
        self.code.end();
        for (place, operand) in (base..).zip([receiver, key, value]) {
            self.spill(operand, place);
        }
        let pc = self.function.code_address.wrapping_add(instruction.at);
        let end = self.layout.stack + 8 * (base as u32 + 3);
        self.code.put().local_get(frame).i32_const(pc as i32).local_get(frame).i32_const(end as i32).i32_add();
        self.code.put().call(Helper::Step.index());
        self.code.when();
        self.leave_at(instruction.next, true, StackEnd::Stepped);
        self.code.end();
        self.code.end();
        self.code.give_back(object);
        self.code.give_back(index);
        self.code.give_back(old);
        self.release(value);
        self.release(key);
        self.release(receiver);
    }

    pub fn object(&mut self, instruction: &Instruction) {
        self.settle();
        let (frame, object) = (self.frame, self.code.temporary(I64));
        self.code.put().local_get(frame).call(Helper::Object.index()).local_set(object);
        self.throw_if_exception(object, instruction);
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
        self.code.put().local_get(frame).i32_const(count as i32).local_get(frame).i32_const(at as i32).i32_add();
        self.code.put().call(Helper::Array.index()).local_set(array);
        self.throw_if_exception(array, instruction);
        self.push_boxed(array, Types::OTHER);
    }

    /// Of an object literal, or of a new object's: the object stays.
    pub fn define_field(&mut self, instruction: &Instruction) {
        let value = self.pop();
        let object = self.pop();
        let object = self.receiver(object);
        self.settle();
        self.push(object);
        let frame = self.frame;
        self.code.put().local_get(frame);
        self.value(object);
        self.own_value(value);
        self.release(value);
        self.code.put().i32_const(instruction.operand).call(Helper::DefineField.index());
        self.code.when();
        self.throw(instruction);
        self.code.end();
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
        self.code.put().local_get(frame).i32_const(pc).local_get(frame).i32_const(place_of(height) as i32).i32_add();
        self.code.put().i32_const(offset).call(Helper::ForOfNext.index()).local_set(failed);
        for place in [base, base + 1] {
            let local = self.code.temporary(I64);
            self.code.put().local_get(frame).i64_load(long(place_of(place))).local_set(local);
            self.stack[place] = self.hold(Operand::boxed(local, Types::ANY, true));
        }
        self.code.put().local_get(failed);
        self.code.when();
        self.throw(instruction);
        self.code.end();
        self.code.put().local_get(frame).i64_load(long(place_of(height + 1))).i32_wrap_i64().local_set(failed);
        let value = self.code.temporary(I64);
        self.code.put().local_get(frame).i64_load(long(place_of(height))).local_set(value);
        self.push_boxed(value, Types::ANY);
        self.push_condition(failed);
    }
}
