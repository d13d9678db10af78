//! The operands of compiled code and who owns them. An operand is owned, and must be freed or passed on, or lent: by a variable or an
//! argument, which is copied before it changes (`detach`), or by what code of the author's can change, which is copied before that runs
//! (`settle`). Most reads of variables thus never touch a reference count.
use super::body::Body;
use super::code::{long, word};
use super::helpers::Helper;
use super::shared::Shared;
use super::types::Types;
use wasm_encoder::Ieee64;
use wasm_encoder::ValType::{F64, I32, I64};

/// QuickJS boxes a value in 64 bits: a tag in the high half for all but floats, which are displaced so that they are what tags are not.
pub const INTEGER_HIGH: u64 = 32;
pub const FALSE: u64 = 1 << 32;
pub const TRUE: u64 = FALSE | 1;
pub const NULL: u64 = 2 << 32;
pub const UNDEFINED: u64 = 3 << 32;
pub const UNINITIALIZED: u64 = 4 << 32;
pub const CATCH_OFFSET: u64 = 5 << 32;
pub const EXCEPTION: u64 = 6 << 32;
/// From here on values have reference counts: `JS_TAG_FIRST`.
pub const COUNTED: u64 = 0xffff_fff7 << 32;
/// `JS_TAG_OBJECT`, the highest: what is not below it is one.
pub const OBJECT: u64 = 0xffff_ffff << 32;
/// `JS_FLOAT64_TAG_ADDEND`.
const FLOAT_ADDEND: u64 = 0x7ff8_000a << 32;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
    Constant(u64),
    /// A local with the value as QuickJS boxes it.
    Boxed(u32),
    /// A local with a float.
    Float(u32),
    /// A local that is 1 for true and 0 for false.
    Condition(u32),
}

#[derive(Clone, Copy, Debug)]
pub struct Operand {
    pub place: Place,
    pub types: Types,
    pub owned: bool,
    /// Lent by what the author's code can change.
    pub unstable: bool,
    /// The function of the unit that it probably is.
    pub callee: Option<usize>,
}

impl Operand {
    fn at(place: Place, types: Types, owned: bool) -> Self {
        Self { place, types, owned, unstable: false, callee: None }
    }

    pub fn boxed(local: u32, types: Types, owned: bool) -> Self {
        Self::at(Place::Boxed(local), types, owned)
    }

    pub fn float(local: u32) -> Self {
        Self::at(Place::Float(local), Types::FLOAT, true)
    }

    pub fn condition(local: u32) -> Self {
        Self::at(Place::Condition(local), Types::SIMPLE, true)
    }

    /// Of values with a reference count: one that lives as long as the function.
    pub fn constant(value: u64) -> Self {
        Self::at(Place::Constant(value), Types::of_value(value), false)
    }

    pub fn integer(value: i32) -> Self {
        Self::constant(u64::from(value as u32))
    }

    pub fn is_in(&self, local: u32) -> bool {
        self.place == Place::Boxed(local)
    }

    pub fn local(&self) -> Option<u32> {
        match self.place {
            Place::Boxed(local) | Place::Float(local) | Place::Condition(local) => Some(local),
            Place::Constant(_) => None,
        }
    }

    pub fn as_types(self, types: Types) -> Self {
        Self { types, ..self }
    }

    pub fn is_positive_constant(&self) -> bool {
        matches!(self.place, Place::Constant(value) if value >> 32 == 0 && value as i32 > 0)
    }
}

pub fn float_of(value: u64) -> f64 {
    if value >> 32 == 0 { f64::from(value as i32) } else { f64::from_bits(value.wrapping_add(FLOAT_ADDEND)) }
}

impl Body<'_> {
    pub fn push(&mut self, operand: Operand) {
        self.stack.push(operand);
    }

    /// Keeps a local that was filled as an operand of the given types.
    pub fn push_boxed(&mut self, local: u32, types: Types) {
        let operand = self.hold(Operand::boxed(local, types, true));
        self.push(operand);
    }

    pub fn push_condition(&mut self, local: u32) {
        let operand = self.hold(Operand::condition(local));
        self.push(operand);
    }

    pub fn pop(&mut self) -> Operand {
        self.stack.pop().expect("the analysis saw an operand")
    }

    pub fn hold(&mut self, operand: Operand) -> Operand {
        if let Some(local) = operand.local() {
            self.code.hold(local);
        }
        operand
    }

    /// The operand is used up; its local may be used again.
    pub fn release(&mut self, operand: Operand) {
        if let Some(local) = operand.local() {
            self.code.release(local);
        }
    }

    /// Leaves a float, boxed, on the Wasm stack. Arithmetic gives one NaN only (`engine.rs`), which is QuickJS's.
    pub fn box_float(&mut self, local: u32) {
        self.code.put().local_get(local).i64_reinterpret_f64().i64_const(FLOAT_ADDEND as i64).i64_sub();
    }

    /// Leaves the value on the Wasm stack, lent if it was lent.
    pub fn value(&mut self, operand: Operand) {
        match operand.place {
            Place::Constant(value) => {
                self.code.put().i64_const(value as i64);
            }
            Place::Boxed(local) => {
                self.code.put().local_get(local);
            }
            Place::Float(local) => self.box_float(local),
            Place::Condition(local) => {
                self.code.put().local_get(local).i64_extend_i32_u().i64_const(FALSE as i64).i64_or();
            }
        }
    }

    /// Leaves it on the Wasm stack with a reference of its own.
    pub fn own_value(&mut self, operand: Operand) {
        self.value(operand);
        if !operand.owned && operand.types.is_counted() {
            let retain = self.unit.shared(Shared::Retain);
            self.code.put().call(retain);
        }
    }

    /// Adds a reference to what is in the local.
    pub fn retain_local(&mut self, local: u32, types: Types) {
        if !types.is_counted() {
            return;
        }
        if !self.is_inline() {
            let retain = self.unit.shared(Shared::Retain);
            self.code.put().local_get(local).call(retain).drop();
            return;
        }
        let count = self.code.temporary(I32);
        let distance = self.places().count_distance as i32;
        self.code.put().local_get(local).i64_const(COUNTED as i64).i64_ge_u();
        self.code.when();
        self.code.put().local_get(local).i32_wrap_i64().i32_const(distance).i32_sub().local_tee(count);
        self.code.put().local_get(count).i32_load(word(0)).i32_const(1).i32_add().i32_store(word(0));
        self.code.end();
        self.code.give_back(count);
    }

    /// Gives up a reference to what is in the local.
    pub fn free_local(&mut self, local: u32, types: Types) {
        if !types.is_counted() {
            return;
        }
        if !self.is_inline() {
            let drop_value = self.unit.shared(Shared::Drop);
            self.code.put().local_get(local).call(drop_value);
            return;
        }
        let release = self.unit.shared(Shared::Release);
        self.code.put().local_get(local).i64_const(COUNTED as i64).i64_ge_u();
        self.code.when();
        self.code.put().local_get(local).call(release);
        self.code.end();
    }

    /// The same where it is seldom the last one: without a call.
    pub fn free_shared(&mut self, local: u32) {
        let (address, count) = (self.code.temporary(I32), self.code.temporary(I32));
        let distance = self.places().count_distance as i32;
        self.code.put().local_get(local).i64_const(COUNTED as i64).i64_ge_u();
        self.code.when();
        self.code.put().local_get(local).i32_wrap_i64().i32_const(distance).i32_sub().local_tee(address);
        self.code.put().local_get(address).i32_load(word(0)).i32_const(1).i32_sub().local_tee(count).i32_store(word(0));
        self.code.put().local_get(count).i32_const(0).i32_le_s();
        self.code.when();
        self.code.put().local_get(local).call(Helper::Free.index());
        self.code.end();
        self.code.end();
        self.code.give_back(address);
        self.code.give_back(count);
    }

    pub fn free(&mut self, operand: Operand) {
        if let (true, Place::Boxed(local)) = (operand.owned, operand.place) {
            self.free_local(local, operand.types);
        }
        self.release(operand);
    }

    /// The same operand in a local of its own, boxed.
    pub fn materialise(&mut self, operand: Operand) -> Operand {
        if let Place::Boxed(_) = operand.place {
            return operand;
        }
        let local = self.code.temporary(I64);
        self.value(operand);
        self.code.put().local_set(local);
        self.release(operand);
        self.hold(Operand { place: Place::Boxed(local), ..operand })
    }

    /// The same operand, owned, so that nothing that happens to its lender matters.
    pub fn owned(&mut self, operand: Operand) -> Operand {
        if operand.owned || !(operand.types.is_counted() || operand.unstable) {
            return operand;
        }
        let local = self.code.temporary(I64);
        self.value(operand);
        self.code.put().local_set(local);
        self.retain_local(local, operand.types);
        self.release(operand);
        self.hold(Operand { place: Place::Boxed(local), owned: true, unstable: false, ..operand })
    }

    /// Before code of the author's may run.
    pub fn settle(&mut self) {
        for place in 0..self.stack.len() {
            if self.stack[place].unstable {
                self.stack[place] = self.owned(self.stack[place]);
            }
        }
    }

    /// Before the local of a variable or an argument changes: what it lent becomes independent.
    pub fn detach(&mut self, local: u32) {
        for place in 0..self.stack.len() {
            let operand = self.stack[place];
            if operand.local() != Some(local) {
                continue;
            }
            let kind = if matches!(operand.place, Place::Float(_)) { F64 } else { I64 };
            let copy = self.code.temporary(kind);
            self.code.put().local_get(local).local_set(copy);
            self.retain_local_if_lent(copy, operand);
            let place_of_copy = if kind == F64 { Place::Float(copy) } else { Place::Boxed(copy) };
            self.release(operand);
            self.stack[place] = self.hold(Operand { place: place_of_copy, owned: true, ..operand });
        }
    }

    fn retain_local_if_lent(&mut self, local: u32, operand: Operand) {
        if !operand.owned && matches!(operand.place, Place::Boxed(_)) {
            self.retain_local(local, operand.types);
        }
    }

    /// Stores it, owned, in its place of the stack in the frame.
    pub fn spill(&mut self, operand: Operand, place: usize) {
        let (frame, at) = (self.frame, self.layout.stack + 8 * place as u32);
        self.code.put().local_get(frame);
        self.own_value(operand);
        self.code.put().i64_store(long(at));
    }

    /// Leaves whether it is an integer.
    pub fn is_integer(&mut self, operand: Operand) {
        self.value(operand);
        self.code.put().i64_const(INTEGER_HIGH as i64).i64_shr_u().i64_eqz();
    }

    /// Leaves whether it is a number. Floats are what is left above the tags, and tags may be negative.
    pub fn is_number(&mut self, operand: Operand) {
        self.is_integer(operand);
        self.value(operand);
        // Displaced by the nine negative tags, all tags are below 17.
        self.code.put().i64_const(9 << 32).i64_add().i64_const(17 << 32).i64_ge_u().i32_or();
    }

    /// Leaves the integer that it is known to be.
    pub fn integer(&mut self, operand: Operand) {
        match operand.place {
            Place::Constant(value) => self.code.put().i32_const(value as i32),
            Place::Boxed(local) => self.code.put().local_get(local).i32_wrap_i64(),
            Place::Condition(local) => self.code.put().local_get(local),
            Place::Float(_) => unreachable!("a float is taken for an integer"),
        };
    }

    /// Leaves the number that it is known to be, as a float.
    pub fn float(&mut self, operand: Operand) {
        match operand.place {
            Place::Constant(value) => {
                self.code.put().f64_const(Ieee64::from(float_of(value)));
            }
            Place::Float(local) => {
                self.code.put().local_get(local);
            }
            Place::Condition(local) => {
                self.code.put().local_get(local).f64_convert_i32_s();
            }
            Place::Boxed(local) => {
                let unbox = |body: &mut Self| {
                    body.code.put().local_get(local).i64_const(FLOAT_ADDEND as i64).i64_add().f64_reinterpret_i64();
                };
                if operand.types.is_integer() {
                    self.code.put().local_get(local).i32_wrap_i64().f64_convert_i32_s();
                } else if operand.types.is_float() {
                    unbox(self);
                } else {
                    self.is_integer(operand);
                    self.code.when_giving(F64);
                    self.code.put().local_get(local).i32_wrap_i64().f64_convert_i32_s();
                    self.code.otherwise();
                    unbox(self);
                    self.code.end();
                }
            }
        }
    }

    /// Leaves whether it is true, and uses it up.
    pub fn truth(&mut self, operand: Operand) {
        if let Place::Condition(local) = operand.place {
            self.code.put().local_get(local);
            return self.release(operand);
        }
        if operand.types | Types::SIMPLE == Types::SIMPLE || operand.types.is_integer() {
            self.value(operand);
            self.code.put().i32_wrap_i64().i32_const(0).i32_ne();
            return self.release(operand);
        }
        let operand = self.materialise(operand);
        if !self.is_inline() {
            let truth = self.unit.shared(Shared::Truth);
            self.value(operand);
            self.code.put().i32_const(i32::from(operand.owned)).call(truth);
            return self.release(operand);
        }
        self.value(operand);
        // Integers, booleans, null and undefined say it in their low half.
        self.code.put().i64_const((UNDEFINED | 0xffff_ffff) as i64).i64_le_u();
        self.code.when_giving(I32);
        self.value(operand);
        self.code.put().i32_wrap_i64().i32_const(0).i32_ne();
        self.code.otherwise();
        self.own_value(operand);
        self.code.put().call(Helper::Truth.index()).i32_const(0).i32_ne();
        self.code.end();
        self.release(operand);
    }

    /// Branches away with `label` unless the operand is an object.
    pub fn unless_object(&mut self, operand: Operand, label: super::code::Label) {
        self.value(operand);
        self.code.put().i64_const(OBJECT as i64).i64_lt_u();
        self.code.go_if(label);
    }
}
