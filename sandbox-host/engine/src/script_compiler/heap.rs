//! The memory of a prepared script, read from outside. It belongs to a stranger's program: every read is checked, and what does not hold
//! together is an error, not a panic.
use std::collections::HashMap;

/// What was read is not what QuickJS writes.
#[derive(Debug, PartialEq, Eq)]
pub struct Damaged(pub &'static str);

#[derive(Clone, Copy)]
pub struct Heap<'a> {
    memory: &'a [u8],
}

impl<'a> Heap<'a> {
    pub fn new(memory: &'a [u8]) -> Self {
        Self { memory }
    }

    pub fn bytes(&self, at: u32, length: u32) -> Result<&'a [u8], Damaged> {
        let from = at as usize;
        self.memory.get(from..from + length as usize).ok_or(Damaged("an address lies outside the memory"))
    }

    fn array<const N: usize>(&self, at: u32) -> Result<[u8; N], Damaged> {
        self.bytes(at, N as u32)?.try_into().map_err(|_| Damaged("an address lies outside the memory"))
    }

    pub fn u8(&self, at: u32) -> Result<u8, Damaged> {
        Ok(self.array::<1>(at)?[0])
    }

    pub fn u16(&self, at: u32) -> Result<u16, Damaged> {
        self.array(at).map(u16::from_le_bytes)
    }

    pub fn u32(&self, at: u32) -> Result<u32, Damaged> {
        self.array(at).map(u32::from_le_bytes)
    }

    pub fn u64(&self, at: u32) -> Result<u64, Damaged> {
        self.array(at).map(u64::from_le_bytes)
    }

    /// Up to the zero that ends it.
    fn text(&self, at: u32) -> Result<&'a str, Damaged> {
        let rest = self.memory.get(at as usize..).ok_or(Damaged("a text lies outside the memory"))?;
        let length = rest.iter().take(TEXT_BYTES_MAX).position(|byte| *byte == 0).ok_or(Damaged("a text does not end"))?;
        std::str::from_utf8(&rest[..length]).map_err(|_| Damaged("a text is not UTF-8"))
    }
}

/// Names in the tables of `compiled.c` are shorter.
const TEXT_BYTES_MAX: usize = 256;
/// Entries of the tables of `compiled.c`.
const TABLE_ENTRIES_MAX: u32 = 1024;

/// Where `compiled.c` keeps its two tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tables {
    pub layout: u32,
    pub opcodes: u32,
}

macro_rules! places {
    ($($field:ident: $name:literal,)*) => {
        /// Where things are in QuickJS's structures, in bytes, and other numbers of its own; from the table of `compiled.c`.
        #[derive(Clone, Debug)]
        pub struct Places { $(pub $field: u32,)* }

        impl Places {
            pub fn read(heap: &Heap<'_>, tables: Tables) -> Result<Self, Damaged> {
                let mut values = HashMap::new();
                for entry in 0..TABLE_ENTRIES_MAX {
                    let at = tables.layout.wrapping_add(8 * entry);
                    match heap.u32(at)? {
                        0 => break,
                        name => values.insert(heap.text(name)?, heap.u32(at.wrapping_add(4))?),
                    };
                }
                Ok(Self { $($field: *values.get($name).ok_or(Damaged(concat!("the layout lacks ", $name)))?,)* })
            }
        }
    };
}

places! {
    frame_previous: "JSStackFrame.prev_frame",
    frame_function: "JSStackFrame.cur_func",
    frame_arguments: "JSStackFrame.arg_buf",
    frame_variables: "JSStackFrame.var_buf",
    frame_references: "JSStackFrame.var_refs",
    frame_pc: "JSStackFrame.cur_pc",
    frame_argument_count: "JSStackFrame.arg_count",
    frame_mode: "JSStackFrame.js_mode",
    frame_caller_context: "CompiledFrame.caller_ctx",
    frame_given_count: "CompiledFrame.argc",
    frame_given: "CompiledFrame.argv",
    frame_locals: "CompiledFrame.local_buf",
    frame_this: "CompiledFrame.this_obj",
    frame_new_target: "CompiledFrame.new_target",
    frame_stack: "CompiledFrame.stack_buf",
    frame_stack_end: "CompiledFrame.sp",
    frame_resume_pc: "CompiledFrame.pc",
    frame_bytes: "sizeof.CompiledFrame",
    object_class: "JSObject.class_id",
    object_shape: "JSObject.shape",
    object_properties: "JSObject.prop",
    object_bytecode: "JSObject.u.func.function_bytecode",
    object_references: "JSObject.u.func.var_refs",
    array_count: "JSObject.u.array.count",
    array_values: "JSObject.u.array.u.values",
    object_class_word: "place of a class word",
    class_word_mask: "mask of a class word",
    class_array: "class of arrays",
    class_function: "class of functions",
    shape_id: "JSShape.id",
    shape_prototype: "JSShape.proto",
    reference_value: "JSVarRef.pvalue",
    cell_shape_id: "PropertyCell.shape_id",
    cell_place: "PropertyCell.place",
    cell_holder_id: "PropertyCell.holder_id",
    cell_class_word: "PropertyCell.class_word",
    cell_bytes: "sizeof.PropertyCell",
    cells: "address of the cells",
    cells_max: "cells",
    runtime: "address of the runtime",
    runtime_frame: "JSRuntime.current_stack_frame",
    runtime_stack_limit: "JSRuntime.stack_limit",
    runtime_objects: "JSRuntime.gc_obj_list",
    runtime_atoms: "JSRuntime.atom_array",
    runtime_atoms_size: "JSRuntime.atom_size",
    collected_link: "JSGCObjectHeader.link",
    count_distance: "bytes from a reference count to what it counts",
    type_distance: "bytes from a type to what has it",
    type_bytecode: "type of bytecode",
    type_object: "type of objects",
    bytecode_mode: "JSFunctionBytecode.js_mode",
    bytecode_code: "JSFunctionBytecode.byte_code_buf",
    bytecode_length: "JSFunctionBytecode.byte_code_len",
    bytecode_name: "JSFunctionBytecode.func_name",
    bytecode_variables: "JSFunctionBytecode.vardefs",
    bytecode_argument_count: "JSFunctionBytecode.arg_count",
    bytecode_variable_count: "JSFunctionBytecode.var_count",
    bytecode_stack_size: "JSFunctionBytecode.stack_size",
    bytecode_reference_count: "JSFunctionBytecode.var_ref_count",
    bytecode_compiled: "JSFunctionBytecode.compiled",
    bytecode_realm: "JSFunctionBytecode.realm",
    bytecode_constants: "JSFunctionBytecode.cpool",
    bytecode_constant_count: "JSFunctionBytecode.cpool_count",
    bytecode_closure_count: "JSFunctionBytecode.closure_var_count",
    variable_bytes: "sizeof.JSBytecodeVarDef",
    atom_length: "atom of length",
    atom_empty: "atom of the empty string",
    atom_undefined: "atom of undefined",
    atom_function: "atom of function",
}

/// "name size pops pushes format" of each opcode, by number.
pub fn opcode_texts<'a>(heap: &Heap<'a>, tables: Tables) -> Result<Vec<&'a str>, Damaged> {
    let mut texts = Vec::new();
    for entry in 0..256 {
        match heap.u32(tables.opcodes.wrapping_add(4 * entry))? {
            0 => break,
            at => texts.push(heap.text(at)?),
        }
    }
    Ok(texts)
}
