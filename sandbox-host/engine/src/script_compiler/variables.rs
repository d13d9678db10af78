//! Variables, arguments, and the variables of outer functions.
use super::body::Body;
use super::bytecode::Instruction;
use super::code::long;
use super::operands::{Operand, Place, UNDEFINED};
use super::operation::Operation;
use super::types::Types;
use wasm_encoder::ValType::{F64, I32, I64};

impl Body<'_> {
    /// Whether it is in its float home just now.
    pub fn is_unboxed(&self, index: usize) -> bool {
        self.variables[index].boxed.is_some() && self.variable_types[index].is_float()
    }

    /// The value of a variable, lent.
    pub fn variable(&mut self, index: usize) -> Operand {
        let home = self.variables[index];
        match home.boxed {
            Some(_) if self.is_unboxed(index) => Operand::float(home.float),
            Some(boxed) => Operand::boxed(boxed, self.variable_types[index], false),
            None => {
                let (frame, local) = (self.frame, self.code.temporary(I64));
                self.code.put().local_get(frame).i64_load(long(self.layout.variables + 8 * index as u32)).local_set(local);
                self.hold(Operand { unstable: true, ..Operand::boxed(local, Types::ANY | Types::MARK, false) })
            }
        }
    }

    pub fn get_variable(&mut self, instruction: &Instruction) {
        let index = instruction.operand as usize;
        let variable = self.variable(index);
        let types = variable.types.without_mark();
        if instruction.operation == Operation::GetChecked {
            if let Place::Boxed(local) = variable.place
                && variable.types.may_be(Types::MARK)
            {
                self.throw_if_uninitialized(local, instruction, false);
            }
            self.variable_types[index] = self.variable_types[index].without_mark();
        }
        self.push(variable.as_types(types));
    }

    pub fn check_variable(&mut self, instruction: &Instruction, is_checked: bool) {
        if !is_checked {
            return;
        }
        let variable = self.variable(instruction.operand as usize);
        if let Place::Boxed(local) = variable.place
            && variable.types.may_be(Types::MARK)
        {
            self.throw_if_uninitialized(local, instruction, false);
        }
        self.release(variable);
    }

    /// The frame learns of a variable that changed, unless that is for later.
    pub fn write_through(&mut self, index: usize) {
        let (frame, home) = (self.frame, self.variables[index]);
        if let (Some(boxed), false) = (home.boxed, home.is_lazy) {
            self.code.put().local_get(frame).local_get(boxed).i64_store(long(self.layout.variables + 8 * index as u32));
        }
    }

    /// Uses up the value.
    pub fn put_variable(&mut self, index: usize, value: Operand) {
        let Some(boxed) = self.variables[index].boxed else {
            let at = self.layout.variables + 8 * index as u32;
            let frame = self.frame;
            return self.replace(value, at, |body| {
                body.code.put().local_get(frame);
            });
        };
        let float = self.variables[index].float;
        self.detach(boxed);
        self.detach(float);
        let (before, types) = (self.variable_types[index], value.types);
        if types.is_float() {
            self.float(value);
            self.code.put().local_set(float);
            if before.is_counted() {
                self.free_local(boxed, before);
                // What is freed at the end must not be freed twice.
                self.code.put().i64_const(UNDEFINED as i64).local_set(boxed);
                self.write_through(index);
            }
        } else if before.is_counted() {
            let old = self.code.temporary(I64);
            self.code.put().local_get(boxed).local_set(old);
            self.own_value(value);
            self.code.put().local_set(boxed);
            self.write_through(index);
            self.free_local(old, before);
            self.code.give_back(old);
        } else {
            self.own_value(value);
            self.code.put().local_set(boxed);
            self.write_through(index);
        }
        self.release(value);
        self.variable_types[index] = types;
        self.held[index] = self.held[index] | types;
    }

    /// Stores the value, owned, where `address` leaves an address, `offset` behind it, and frees what was there. The old value goes last: what it
    /// takes with it may be looked at by nobody, but the place holds the new one by then.
    fn replace(&mut self, value: Operand, offset: u32, address: impl FnOnce(&mut Self)) {
        self.settle();
        let value = self.owned(value);
        let (place, old) = (self.code.temporary(I32), self.code.temporary(I64));
        address(self);
        self.code.put().local_tee(place).i64_load(long(offset)).local_set(old).local_get(place);
        self.own_value(value);
        self.code.put().i64_store(long(offset));
        self.free_local(old, Types::ANY);
        self.code.give_back(place);
        self.code.give_back(old);
        self.release(value);
    }

    pub fn get_argument(&mut self, index: usize) {
        match self.arguments[index] {
            Some(home) => self.push(Operand::boxed(home, self.argument_types[index], false)),
            None => {
                let (base, local) = (self.argument_base, self.code.temporary(I64));
                self.code.put().local_get(base).i64_load(long(8 * index as u32)).local_set(local);
                let operand = self.hold(Operand { unstable: true, ..Operand::boxed(local, Types::ANY, false) });
                self.push(operand);
            }
        }
    }

    /// Also into memory: whoever called frees what is there.
    pub fn put_argument(&mut self, index: usize, value: Operand) {
        let value = self.materialise(value);
        let value = self.owned(value);
        if let Some(home) = self.arguments[index] {
            self.detach(home);
            self.value(value);
            self.code.put().local_set(home);
        }
        self.argument_types[index] = value.types;
        let base = self.argument_base;
        self.replace(value, 8 * index as u32, |body| {
            body.code.put().local_get(base);
        });
    }

    pub fn get_reference(&mut self, instruction: &Instruction) {
        let local = self.reference_value(instruction.operand as u32);
        if instruction.operation == Operation::GetReferenceChecked {
            self.throw_if_uninitialized(local, instruction, true);
        }
        let callee = self.unit.callee(self.function, instruction.operand);
        let operand = self.hold(Operand { unstable: true, callee, ..Operand::boxed(local, Types::ANY, false) });
        self.push(operand);
    }

    pub fn put_reference(&mut self, index: u32, value: Operand) {
        self.replace(value, 0, |body| body.reference_address(index));
    }

    /// A copy of a float, or of a number, that stays when its variable changes.
    pub fn copied(&mut self, operand: Operand) -> Operand {
        let (kind, place): (_, fn(u32) -> Place) = match operand.place {
            Place::Constant(_) | Place::Condition(_) => return operand,
            Place::Boxed(_) => (I64, Place::Boxed),
            Place::Float(_) => (F64, Place::Float),
        };
        let Some(local) = operand.local().filter(|local| !self.code.is_temporary(*local)) else { return operand };
        let copy = self.code.temporary(kind);
        self.code.put().local_get(local).local_set(copy);
        self.hold(Operand { place: place(copy), ..operand })
    }
}
