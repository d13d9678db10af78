//! How an activation begins and ends: its frame on the shadow stack, as the interpreter lays it out.
use super::body::{Body, parameter};
use super::bytecode::FunctionCode;
use super::code::{long, word};
use super::heap::Places;
use super::helpers::Helper;
use super::operands::UNDEFINED;
use super::shared::Shared;
use super::types::Types;
use wasm_encoder::ValType::{I32, I64};

/// `JS_CALL_FLAG_COPY_ARGV`.
const COPY_ARGUMENTS: i32 = 1 << 1;
/// The interpreter's own stack check has to see what a frame takes before it is taken.
pub const FRAME_BYTES_MAX: u32 = 32 << 10;

/// Variables that are freed one by one at the end; more are by a loop.
const DROPPED_INLINE_MAX: usize = 3;

/// Bytes from the frame's start.
#[derive(Clone, Copy)]
pub struct FrameLayout {
    pub arguments: u32,
    pub variables: u32,
    pub stack: u32,
    pub references: u32,
    pub bytes: u32,
}

impl FrameLayout {
    pub fn of(function: &FunctionCode, places: &Places) -> Self {
        let arguments = places.frame_bytes.next_multiple_of(8);
        let variables = arguments + 8 * function.arguments as u32;
        let stack = variables + 8 * function.variables as u32;
        let references = stack + 8 * function.stack as u32;
        Self {
            arguments,
            variables,
            stack,
            references,
            bytes: (references + 4 * function.references as u32).next_multiple_of(16),
        }
    }
}

impl Body<'_> {
    pub fn enter(&mut self) {
        let at = self.places();
        let (frame, layout) = (self.frame, self.layout);
        let put = &mut self.code;
        put.put().global_get(0).i32_const(layout.bytes as i32).i32_sub().local_tee(frame);
        put.put().i32_const(self.unit.runtime as i32).i32_load(word(at.runtime_stack_limit)).i32_lt_u();
        put.when();
        put.put().local_get(parameter::CONTEXT).call(Helper::Overflow.index()).return_();
        put.end();
        put.put().local_get(frame).global_set(0);
        let runtime = self.unit.runtime as i32;
        put.put().local_get(frame).i32_const(runtime).i32_load(word(at.runtime_frame)).i32_store(word(at.frame_previous));
        put.put().i32_const(runtime).local_get(frame).i32_store(word(at.runtime_frame));
        put.put().local_get(frame).local_get(parameter::FUNCTION).i64_store(long(at.frame_function));
        put.put().local_get(frame).i32_const(i32::from(self.function.mode)).i32_store(word(at.frame_mode));
        put.put().local_get(frame).local_get(frame).i32_const(layout.variables as i32).i32_add().local_tee(self.locals_base);
        put.put().i32_store(word(at.frame_variables));
        if self.function.references > 0 {
            put.put().local_get(frame).local_get(frame).i32_const(layout.references as i32).i32_add();
            put.put().i32_store(word(at.frame_references));
        }
        for index in 0..self.function.references as u32 {
            put.put().local_get(frame).i32_const(0).i32_store(word(layout.references + 4 * index));
        }
        self.take_arguments();
        if self.steps {
            self.complete_frame();
        }
        let put = &mut self.code;
        if let Some(references) = self.references {
            put.put().local_get(parameter::FUNCTION).i32_wrap_i64().i32_load(word(at.object_references)).local_set(references);
        }
        for (index, home) in self.arguments.iter().enumerate() {
            if let Some(home) = home {
                put.put().local_get(self.argument_base).i64_load(long(8 * index as u32)).local_set(*home);
            }
        }
        for (index, home) in self.variables.iter().enumerate() {
            let mut put = put.put();
            match home.boxed {
                Some(local) => put.i64_const(UNDEFINED as i64).local_set(local),
                None => &mut put,
            };
            put.local_get(frame).i64_const(UNDEFINED as i64).i64_store(long(layout.variables + 8 * index as u32));
        }
    }

    /// As the interpreter: those of the caller, or a copy if there are too few.
    fn take_arguments(&mut self) {
        let (at, frame, layout) = (self.places(), self.frame, self.layout);
        let wanted = self.function.arguments as i32;
        let copy = self.unit.shared(Shared::CopyArguments);
        let put = &mut self.code;
        let count = put.local(I32);
        put.put().local_get(parameter::GIVEN).local_set(self.argument_base).local_get(parameter::COUNT).local_set(count);
        if wanted > 0 {
            put.put().local_get(parameter::COUNT).i32_const(wanted).i32_lt_s();
            // What a caller in C wants to keep as it is.
            if !self.function.keeps_arguments {
                put.put().local_get(parameter::FLAGS).i32_const(COPY_ARGUMENTS).i32_and().i32_or();
            }
            put.when();
            put.put().local_get(frame).i32_const(layout.arguments as i32).i32_add().local_get(parameter::GIVEN);
            put.put().local_get(parameter::COUNT).i32_const(wanted).call(copy);
            put.put().local_get(frame).i32_const(layout.arguments as i32).i32_add().local_tee(self.argument_base);
            put.put().local_set(self.locals_base).i32_const(wanted).local_set(count);
            put.end();
        }
        put.put().local_get(frame).local_get(self.argument_base).i32_store(word(at.frame_arguments));
        put.put().local_get(frame).local_get(count).i32_store(word(at.frame_argument_count));
        // As the interpreter begins (patch 200).
        put.put().local_get(frame).i32_const(self.function.code_address as i32 + 1).i32_store(word(at.frame_pc));
    }

    /// What only the interpreter needs of it.
    fn complete_frame(&mut self) {
        let (at, frame, layout) = (self.places(), self.frame, self.layout);
        let put = &mut self.code;
        put.put().local_get(frame).local_get(parameter::CONTEXT).i32_store(word(at.frame_caller_context));
        put.put().local_get(frame).local_get(parameter::COUNT).i32_store(word(at.frame_given_count));
        put.put().local_get(frame).local_get(parameter::GIVEN).i32_store(word(at.frame_given));
        put.put().local_get(frame).local_get(self.locals_base).i32_store(word(at.frame_locals));
        put.put().local_get(frame).local_get(parameter::THIS).i64_store(long(at.frame_this));
        put.put().local_get(frame).local_get(parameter::NEW_TARGET).i64_store(long(at.frame_new_target));
        put.put().local_get(frame).local_get(frame).i32_const(layout.stack as i32).i32_add().i32_store(word(at.frame_stack));
    }

    pub fn finish(&mut self) {
        let (at, frame, layout) = (self.places(), self.frame, self.layout);
        if self.function.references > 0 {
            self.code.put().call(Helper::Close.index());
        }
        let drop_range = self.unit.shared(Shared::DropRange);
        let is_freed = |body: &Self, index: usize| body.variables[index].boxed.is_none() || body.held[index].is_counted();
        if (0..self.variables.len()).filter(|index| is_freed(self, *index)).count() > DROPPED_INLINE_MAX {
            // None of the rest has a count, in the frame as here.
            self.code.put().local_get(frame).i32_const(layout.variables as i32).i32_add();
            self.code.put().local_get(frame).i32_const(layout.stack as i32).i32_add().call(drop_range);
        } else {
            let value = self.code.local(I64);
            for index in 0..self.variables.len() {
                match self.variables[index].boxed {
                    Some(boxed) => self.free_local(boxed, self.held[index]),
                    None => {
                        self.code.put().local_get(frame).i64_load(long(layout.variables + 8 * index as u32)).local_set(value);
                        self.free_local(value, Types::ANY);
                    }
                }
            }
        }
        if self.function.arguments > 0 {
            self.code.put().local_get(self.argument_base).local_get(parameter::GIVEN).i32_ne();
            self.code.when();
            self.code.put().local_get(frame).i32_const(layout.arguments as i32).i32_add();
            self.code.put().local_get(frame).i32_const(layout.variables as i32).i32_add().call(drop_range);
            self.code.end();
        }
        let put = &mut self.code;
        put.put().i32_const(self.unit.runtime as i32).local_get(frame).i32_load(word(at.frame_previous));
        put.put().i32_store(word(at.runtime_frame));
        put.put().local_get(frame).i32_const(layout.bytes as i32).i32_add().global_set(0).local_get(self.result);
    }
}
