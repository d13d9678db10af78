//! The ways from compiled code to the interpreter, which goes on with the activation: at a pc, or with what was thrown.
use super::body::{Body, parameter};
use super::code::{long, word};
use super::helpers::Helper;
use super::operands::Operand;
use super::shared::is_exception;
use super::types::Types;

/// How much of the stack in the frame is the activation's.
#[derive(Clone, Copy)]
pub enum StackEnd {
    Here,
    Stepped,
}

impl Body<'_> {
    /// Behind the body: what was thrown goes to the interpreter, with the end of the stack.
    pub fn land(&mut self) {
        let (frame, layout) = (self.frame, self.layout);
        for height in 0..self.throws.len() {
            self.code.end();
            if height + 1 < self.throws.len() {
                self.code.put().local_get(frame).i32_const((layout.stack + 8 * height as u32) as i32).i32_add();
            } else {
                self.code.put().local_get(frame).i32_load(word(self.unit.places.frame_stack_end));
            }
            self.code.put().local_set(self.leave_stack).i32_const(1).local_set(self.leave_throwing);
            self.code.go(self.leaves);
        }
        self.code.end();
    }

    /// The interpreter takes over; it frees the frame.
    pub fn leave(&mut self) {
        let (frame, layout) = (self.frame, self.layout);
        let put = &mut self.code;
        put.put().local_get(self.leave_stack).local_get(self.leave_throwing);
        put.put().local_get(parameter::CONTEXT).local_get(parameter::COUNT).local_get(parameter::GIVEN);
        put.put().local_get(self.locals_base).local_get(frame).i32_const(layout.stack as i32).i32_add();
        put.put().local_get(parameter::THIS).local_get(parameter::NEW_TARGET).call(Helper::Resume.index());
        put.put().local_get(frame).i32_const(layout.bytes as i32).i32_add().global_set(0).return_();
    }

    /// Stores what the interpreter must find in the frame and the frame does not have yet.
    fn spill_all(&mut self) {
        self.spill_variables();
        for place in 0..self.stack.len() {
            self.spill(self.stack[place], place);
        }
    }

    fn spill_variables(&mut self) {
        let (frame, layout) = (self.frame, self.layout);
        for index in 0..self.variables.len() {
            let home = self.variables[index];
            let place = layout.variables + 8 * index as u32;
            let Some(boxed) = home.boxed else { continue };
            if self.is_unboxed(index) {
                self.code.put().local_get(frame);
                self.box_float(home.float);
                self.code.put().i64_store(long(place));
            } else if home.is_lazy {
                self.code.put().local_get(frame).local_get(boxed).i64_store(long(place));
            }
        }
    }

    /// Leaves to the interpreter, which goes on at `pc` (bytes from the start of the code).
    pub fn leave_at(&mut self, pc: u32) {
        self.spill_all();
        let (frame, layout, height) = (self.frame, self.layout, self.stack.len() as u32);
        let pc = self.function.code_address.wrapping_add(pc) as i32;
        let resume_pc = self.places().frame_resume_pc;
        let put = &mut self.code;
        put.put().local_get(frame).i32_const(pc).i32_store(word(resume_pc));
        put.put().local_get(frame).i32_const((layout.stack + 8 * height) as i32).i32_add().local_set(self.leave_stack);
        put.put().i32_const(0).local_set(self.leave_throwing);
        self.code.go(self.leaves);
    }

    /// If the condition on the Wasm stack is true, something was thrown: whatever threw has told the frame its pc. What the interpreter needs is
    /// spilled on this path only: all below the place where it is caught, if it may be, and above that what must be freed. Where a step left its
    /// own end of the stack, that counts.
    pub fn throw_if(&mut self, end: StackEnd) {
        if let StackEnd::Stepped = end {
            let label = self.throws[self.throws.len() - 1];
            self.code.when();
            self.spill_all();
            self.code.go(label);
            return self.code.end();
        }
        let caught = self.stack.iter().rposition(|operand| operand.types.may_be(Types::MARK)).map_or(0, |place| place + 1);
        let owned = self.stack[caught..].iter().filter(|operand| operand.owned && operand.types.is_counted());
        let freed: Vec<Operand> = owned.copied().collect();
        let label = self.throws[caught + freed.len()];
        if caught == 0 && freed.is_empty() {
            return self.code.go_if(label);
        }
        self.code.when();
        if caught > 0 {
            self.spill_variables();
        }
        for place in 0..caught {
            self.spill(self.stack[place], place);
        }
        for (place, operand) in (caught..).zip(freed) {
            self.spill(operand, place);
        }
        self.code.go(label);
        self.code.end();
    }

    /// Leaves if the value in the local is QuickJS's mark of an exception.
    pub fn throw_if_exception(&mut self, local: u32) {
        is_exception(&mut self.code, local);
        self.throw_if(StackEnd::Here);
    }
}
