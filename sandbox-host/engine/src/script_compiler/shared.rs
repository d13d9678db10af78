//! Functions that each side module has once: what most places in the source need, and what would make their code large if each had its own.
//! Operands are lent, unless a parameter says otherwise; where one says what is owned, bit 0 is the first operand's. Code in loops has the
//! shortest of them inline (`Body::is_inline`).
use super::body::Body;
use super::bytecode::Instruction;
use super::code::{Code, Label, half, long, word};
use super::helpers::Helper;
use super::operands::{COUNTED, EXCEPTION, OBJECT, Operand, UNDEFINED};
use super::operation::Operation;
use super::types::Types;
use super::unit::Unit;
use wasm_encoder::Function;
use wasm_encoder::ValType::{self, I32, I64};

macro_rules! shared {
    ($($shared:ident ($($parameter:ident)*) $(-> $result:ident)?;)*) => {
        /// In the order in which the module has them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Shared { $($shared,)* }

        pub const SHARED: &[(Shared, &[ValType], &[ValType])] = &[$((Shared::$shared, &[$($parameter),*], &[$($result)?]),)*];
    };
}

shared! {
    // Adds a reference to a value that may have a count, and gives it back.
    Retain (I64) -> I64;
    // Gives up a reference to a value that has a count.
    Release (I64);
    // The same of a value that may have none.
    Drop (I64);
    // The same of all values from one address to another; there is one at least.
    DropRange (I32 I32);
    // Copies arguments for a callee that wants more of them, or its own: to, from, given, wanted.
    CopyArguments (I32 I32 I32 I32);
    // Receiver, atom, pc, cell.
    GetField (I64 I32 I32 I32) -> I64;
    GetMethod (I64 I32 I32 I32) -> I64;
    // Receiver, value (owned), atom, pc, cell; whether it threw.
    PutField (I64 I64 I32 I32 I32) -> I32;
    // Receiver, key, pc.
    GetElement (I64 I64 I32) -> I64;
    // Address of the function and its arguments, count of arguments, pc. All are freed.
    Call (I32 I32 I32) -> I64;
    // The same, the receiver being before the function.
    CallMethod (I32 I32 I32) -> I64;
    // Value, what is owned.
    Truth (I64 I32) -> I32;
    // Left, right, pc, what is owned.
    Add (I64 I64 I32 I32) -> I64;
    Subtract (I64 I64 I32 I32) -> I64;
    Multiply (I64 I64 I32 I32) -> I64;
    Divide (I64 I64 I32 I32) -> I64;
    Remainder (I64 I64 I32 I32) -> I64;
    And (I64 I64 I32 I32) -> I64;
    Or (I64 I64 I32 I32) -> I64;
    Xor (I64 I64 I32 I32) -> I64;
    ShiftLeft (I64 I64 I32 I32) -> I64;
    ShiftRight (I64 I64 I32 I32) -> I64;
    ShiftRightUnsigned (I64 I64 I32 I32) -> I64;
    // The same; 2 if it threw.
    Less (I64 I64 I32 I32) -> I32;
    LessOrEqual (I64 I64 I32 I32) -> I32;
    Greater (I64 I64 I32 I32) -> I32;
    GreaterOrEqual (I64 I64 I32 I32) -> I32;
    Equal (I64 I64 I32 I32) -> I32;
    NotEqual (I64 I64 I32 I32) -> I32;
    StrictEqual (I64 I64 I32 I32) -> I32;
    StrictNotEqual (I64 I64 I32 I32) -> I32;
}

/// What a comparison is that threw.
pub const THREW: i32 = 2;

impl Shared {
    /// An operator on two operands.
    pub fn of(operation: Operation) -> Option<Self> {
        Self::operators().find(|(_, of)| *of == operation).map(|(shared, _)| shared)
    }

    fn operators() -> impl Iterator<Item = (Self, Operation)> {
        [
            (Self::Add, Operation::Add),
            (Self::Subtract, Operation::Subtract),
            (Self::Multiply, Operation::Multiply),
            (Self::Divide, Operation::Divide),
            (Self::Remainder, Operation::Remainder),
            (Self::And, Operation::And),
            (Self::Or, Operation::Or),
            (Self::Xor, Operation::Xor),
            (Self::ShiftLeft, Operation::ShiftLeft),
            (Self::ShiftRight, Operation::ShiftRight),
            (Self::ShiftRightUnsigned, Operation::ShiftRightUnsigned),
            (Self::Less, Operation::Less),
            (Self::LessOrEqual, Operation::LessOrEqual),
            (Self::Greater, Operation::Greater),
            (Self::GreaterOrEqual, Operation::GreaterOrEqual),
            (Self::Equal, Operation::Equal),
            (Self::NotEqual, Operation::NotEqual),
            (Self::StrictEqual, Operation::StrictEqual),
            (Self::StrictNotEqual, Operation::StrictNotEqual),
        ]
        .into_iter()
    }

    pub fn code(self, unit: &Unit<'_>) -> Function {
        let (_, parameters, _) = SHARED[self as usize];
        let mut code = Code::new(parameters);
        match self {
            Self::Retain => retain(&mut code, unit),
            Self::Release => release(&mut code, unit),
            Self::Drop => drop_value(&mut code, unit),
            Self::DropRange => drop_range(&mut code, unit),
            Self::CopyArguments => copy_arguments(&mut code, unit),
            Self::GetField => get_property(&mut code, unit, false),
            Self::GetMethod => get_property(&mut code, unit, true),
            Self::PutField => put_field(&mut code, unit),
            Self::GetElement => get_element(&mut code, unit),
            Self::Call => call(&mut code, unit, false),
            Self::CallMethod => call(&mut code, unit, true),
            Self::Truth => truth(&mut code, unit),
            operator => {
                let found = Self::operators().find(|(shared, _)| *shared == operator);
                let (_, operation) = found.expect("what is no operator is above");
                return operator_code(unit, operation, parameters);
            }
        }
        code.finish()
    }
}

/// What code inline in a body does, on parameters.
fn operator_code(unit: &Unit<'_>, operation: Operation, parameters: &[ValType]) -> Function {
    let (function, blocks) = Default::default();
    let mut body = Body::new(unit, &function, &blocks, parameters);
    body.shared = Some((2, 3));
    body.code.fix_locals();
    let [left, right] = [0, 1].map(|local| Operand::boxed(local, Types::ANY, false));
    let instruction = Instruction::shared(operation);
    let result = if operation.is_arithmetic() {
        body.arithmetic(&instruction, operation, left, right)
    } else if operation.is_bitwise() {
        body.bitwise(&instruction, left, right)
    } else {
        body.compare(&instruction, left, right)
    };
    let local = result.local().expect("a result is in a local");
    body.code.put().local_get(local);
    body.code.finish()
}

/// Leaves the address of the count of the value in the local.
fn count_address(code: &mut Code, unit: &Unit<'_>, value: u32) {
    code.put().local_get(value).i32_wrap_i64().i32_const(unit.places.count_distance as i32).i32_sub();
}

fn is_counted(code: &mut Code, value: u32) {
    code.put().local_get(value).i64_const(COUNTED as i64).i64_ge_u();
}

fn retain_value(code: &mut Code, unit: &Unit<'_>, value: u32, count: u32) {
    is_counted(code, value);
    code.when();
    count_address(code, unit, value);
    code.put().local_tee(count).local_get(count).i32_load(word(0)).i32_const(1).i32_add().i32_store(word(0));
    code.end();
}

fn release_value(code: &mut Code, unit: &Unit<'_>, value: u32, [count, left]: [u32; 2]) {
    count_address(code, unit, value);
    code.put().local_tee(count).local_get(count).i32_load(word(0)).i32_const(1).i32_sub().local_tee(left).i32_store(word(0));
    code.put().local_get(left).i32_const(0).i32_le_s();
    code.when();
    code.put().local_get(value).call(Helper::Free.index());
    code.end();
}

fn retain(code: &mut Code, unit: &Unit<'_>) {
    let count = code.local(I32);
    retain_value(code, unit, 0, count);
    code.put().local_get(0);
}

fn release(code: &mut Code, unit: &Unit<'_>) {
    let counts = [code.local(I32), code.local(I32)];
    release_value(code, unit, 0, counts);
}

fn drop_value(code: &mut Code, unit: &Unit<'_>) {
    let counts = [code.local(I32), code.local(I32)];
    is_counted(code, 0);
    code.when();
    release_value(code, unit, 0, counts);
    code.end();
}

fn drop_range(code: &mut Code, unit: &Unit<'_>) {
    let (value, counts) = (code.local(I64), [code.local(I32), code.local(I32)]);
    let next = code.looped();
    code.put().local_get(0).i64_load(long(0)).local_tee(value).i64_const(COUNTED as i64).i64_ge_u();
    code.when();
    release_value(code, unit, value, counts);
    code.end();
    code.put().local_get(0).i32_const(8).i32_add().local_tee(0).local_get(1).i32_lt_u();
    code.go_if(next);
    code.end();
}

fn copy_arguments(code: &mut Code, unit: &Unit<'_>) {
    let [to, from, given, wanted] = [0, 1, 2, 3];
    let (value, count) = (code.local(I64), code.local(I32));
    let done = code.block();
    let next = code.looped();
    code.put().local_get(wanted).i32_eqz();
    code.go_if(done);
    code.put().i64_const(UNDEFINED as i64).local_set(value).local_get(given).i32_const(0).i32_gt_s();
    code.when();
    code.put().local_get(from).i64_load(long(0)).local_set(value);
    retain_value(code, unit, value, count);
    code.end();
    code.put().local_get(to).local_get(value).i64_store(long(0));
    for (local, by) in [(to, 8), (from, 8), (given, -1), (wanted, -1)] {
        code.put().local_get(local).i32_const(by).i32_add().local_set(local);
    }
    code.go(next);
    code.end();
    code.end();
}

/// Goes to the label unless the value in the local is an object: no tag is above an object's.
pub fn unless_object(code: &mut Code, value: u32, label: Label) {
    code.put().local_get(value).i64_const(OBJECT as i64).i64_lt_u();
    code.go_if(label);
}

/// Fills `object` with where the receiver's property lies that the cell tells of, and goes on; or goes to the label.
fn own_property(code: &mut Code, unit: &Unit<'_>, cell: u32, [object, shape]: [u32; 2], is_method: bool, slow: Label) {
    let at = unit.places;
    unless_object(code, 0, slow);
    code.put().local_get(0).i32_wrap_i64().local_tee(object).i32_load(word(at.object_shape)).local_tee(shape);
    code.put().i32_load(word(at.shape_id)).local_get(cell).i32_load(word(at.cell_shape_id)).i32_ne();
    code.go_if(slow);
    if is_method {
        code.put().local_get(cell).i32_load(word(at.cell_holder_id));
        code.when();
        // What is exotic may have more properties than its shape tells of.
        code.put().local_get(object).i32_load(word(at.object_class_word)).i32_const(at.class_word_mask as i32).i32_and();
        code.put().local_get(cell).i32_load(word(at.cell_class_word)).i32_ne();
        code.go_if(slow);
        code.put().local_get(shape).i32_load(word(at.shape_prototype)).local_tee(object);
        code.put().i32_load(word(at.object_shape)).i32_load(word(at.shape_id));
        code.put().local_get(cell).i32_load(word(at.cell_holder_id)).i32_ne();
        code.go_if(slow);
        code.end();
    }
    code.put().local_get(object).i32_load(word(at.object_properties));
    code.put().local_get(cell).i32_load(word(at.cell_place)).i32_add().local_set(object);
}

fn get_property(code: &mut Code, unit: &Unit<'_>, is_method: bool) {
    let (value, object, shape) = (code.local(I64), code.local(I32), code.local(I32));
    if unit.has_cells {
        let slow = code.block();
        own_property(code, unit, 3, [object, shape], is_method, slow);
        code.put().local_get(object).i64_load(long(0)).local_set(value);
        retain_value(code, unit, value, shape);
        code.put().local_get(value).return_();
        code.end();
    }
    let helper = if is_method { Helper::GetMethod } else { Helper::GetField };
    code.put().local_get(0).local_get(1).local_get(2).local_get(3).call(helper.index());
}

fn put_field(code: &mut Code, unit: &Unit<'_>) {
    let (old, object, shape) = (code.local(I64), code.local(I32), code.local(I32));
    if unit.has_cells {
        let slow = code.block();
        own_property(code, unit, 4, [object, shape], false, slow);
        code.put().local_get(object).i64_load(long(0)).local_set(old).local_get(object).local_get(1).i64_store(long(0));
        is_counted(code, old);
        code.when();
        release_value(code, unit, old, [object, shape]);
        code.end();
        code.put().i32_const(0).return_();
        code.end();
    }
    code.put().local_get(0).local_get(1).local_get(2).local_get(3).local_get(4).call(Helper::PutField.index());
}

fn get_element(code: &mut Code, unit: &Unit<'_>) {
    let at = unit.places;
    let (value, object, count) = (code.local(I64), code.local(I32), code.local(I32));
    let slow = code.block();
    unless_object(code, 0, slow);
    code.put().local_get(1).i64_const(32).i64_shr_u().i64_eqz().i32_eqz();
    code.go_if(slow);
    code.put().local_get(0).i32_wrap_i64().local_tee(object).i32_load16_u(half(at.object_class));
    code.put().i32_const(at.class_array as i32).i32_ne();
    code.go_if(slow);
    code.put().local_get(1).i32_wrap_i64().local_get(object).i32_load(word(at.array_count)).i32_ge_u();
    code.go_if(slow);
    code.put().local_get(object).i32_load(word(at.array_values));
    code.put().local_get(1).i32_wrap_i64().i32_const(3).i32_shl().i32_add().i64_load(long(0)).local_set(value);
    retain_value(code, unit, value, count);
    code.put().local_get(value).return_();
    code.end();
    retain_value(code, unit, 1, count);
    code.put().local_get(0).local_get(1).local_get(2).call(Helper::GetElement.index());
}

fn call(code: &mut Code, unit: &Unit<'_>, is_method: bool) {
    let at = unit.places;
    let [values, count, pc] = [0, 1, 2];
    let (function, receiver, result) = (code.local(I64), code.local(I64), code.local(I64));
    let (arguments, target, left) = (code.local(I32), code.local(I32), code.local(I32));
    let places = if is_method { 2 } else { 1 };
    code.put().global_get(0).local_get(pc).i32_store(word(at.frame_pc));
    code.put().local_get(values).i64_load(long(8 * places - 8)).local_set(function);
    code.put().local_get(values).i32_const(8 * places as i32).i32_add().local_set(arguments);
    let pass = |code: &mut Code| {
        code.put().local_get(function);
        if is_method {
            code.put().local_get(values).i64_load(long(0)).local_tee(receiver);
        } else {
            code.put().i64_const(UNDEFINED as i64);
        }
    };
    let called = code.block();
    let slow = code.block();
    unless_object(code, function, slow);
    code.put().local_get(function).i32_wrap_i64().local_tee(target).i32_load16_u(half(at.object_class));
    code.put().i32_const(at.class_function as i32).i32_ne();
    code.go_if(slow);
    code.put()
        .local_get(target)
        .i32_load(word(at.object_bytecode))
        .i32_load(word(at.bytecode_compiled))
        .local_tee(target)
        .i32_eqz();
    code.go_if(slow);
    code.put().i32_const(unit.realm());
    pass(code);
    code.put().i64_const(UNDEFINED as i64).local_get(count).local_get(arguments).i32_const(0);
    code.put().local_get(target).call_indirect(0, unit.compiled_type()).local_set(result);
    code.go(called);
    code.end();
    pass(code);
    code.put().local_get(count).local_get(arguments).call(Helper::Call.index()).local_set(result);
    code.end();
    for value in [receiver, function].into_iter().skip(usize::from(!is_method)) {
        is_counted(code, value);
        code.when();
        release_value(code, unit, value, [target, left]);
        code.end();
    }
    code.put().local_get(count);
    code.when();
    code.put().local_get(arguments).local_get(arguments).local_get(count).i32_const(3).i32_shl().i32_add();
    code.put().call(unit.shared(Shared::DropRange));
    code.end();
    code.put().local_get(result);
}

fn truth(code: &mut Code, unit: &Unit<'_>) {
    code.put().local_get(0).i64_const((UNDEFINED | 0xffff_ffff) as i64).i64_le_u();
    code.when();
    code.put().local_get(0).i32_wrap_i64().i32_const(0).i32_ne().return_();
    code.end();
    code.put().local_get(1).i32_eqz();
    code.when();
    code.put().local_get(0).call(unit.shared(Shared::Retain)).drop();
    code.end();
    code.put().local_get(0).call(Helper::Truth.index()).i32_const(0).i32_ne();
}

/// Leaves whether the value in the local is QuickJS's mark of an exception.
pub fn is_exception(code: &mut Code, value: u32) {
    code.put().local_get(value).i64_const(EXCEPTION as i64).i64_eq();
}
