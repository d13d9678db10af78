//! Compiled functions as a Wasm module that works in the memory of the engine's instance and adds its functions to the engine's table.
use super::code::{Code, word};
use super::helpers::{COMPILED_PARAMETERS, HELPERS, Helper};
use super::operands::COUNTED;
use wasm_encoder::ValType::{I32, I64};
use wasm_encoder::{
    CodeSection, ConstExpr, ElementSection, Elements, EntityType, Function, FunctionSection, GlobalType, ImportSection,
    MemoryType, Module, RefType, TableType, TypeSection,
};

/// Of the imports.
pub const ENGINE: &str = "engine";
pub const MEMORY: &str = "memory";
pub const TABLE: &str = "__indirect_function_table";
pub const STACK_POINTER: &str = "__stack_pointer";

/// Functions of the module that are no functions of the script: `retain` and `release`.
pub const OWN_FUNCTIONS: u32 = 2;

/// `table_base` is the length of the engine's table before the module's functions are added.
pub fn side_module(functions: &[Function], table_base: u32, count_distance: u32) -> Vec<u8> {
    let compiled = HELPERS.len() as u32;
    let (retained, released) = (compiled + 1, compiled + 2);
    let mut types = TypeSection::new();
    for (_, parameters, results) in HELPERS {
        types.ty().function(parameters.iter().copied(), results.iter().copied());
    }
    types.ty().function(COMPILED_PARAMETERS, [I64]);
    types.ty().function([I64], [I64]);
    types.ty().function([I64], []);

    let mut imports = ImportSection::new();
    let memory = MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None };
    imports.import(ENGINE, MEMORY, memory);
    let table = TableType { element_type: RefType::FUNCREF, table64: false, minimum: 0, maximum: None, shared: false };
    imports.import(ENGINE, TABLE, table);
    imports.import(ENGINE, STACK_POINTER, GlobalType { val_type: I32, mutable: true, shared: false });
    for (index, (name, ..)) in HELPERS.iter().enumerate() {
        imports.import(ENGINE, name, EntityType::Function(index as u32));
    }

    let mut declared = FunctionSection::new();
    let mut code = CodeSection::new();
    declared.function(retained).function(released);
    code.function(&retain(count_distance)).function(&release(count_distance));
    for function in functions {
        declared.function(compiled);
        code.function(function);
    }
    let first = HELPERS.len() as u32 + OWN_FUNCTIONS;
    let indices: Vec<u32> = (first..first + functions.len() as u32).collect();
    let mut elements = ElementSection::new();
    elements.active(None, &ConstExpr::i32_const(table_base as i32), Elements::Functions(indices.into()));

    let mut module = Module::new();
    module.section(&types).section(&imports).section(&declared).section(&elements).section(&code);
    module.finish()
}

/// Adds a reference to a value that may have a count, and gives it back.
fn retain(distance: u32) -> Function {
    let mut code = Code::new(&[I64]);
    let count = code.local(I32);
    code.put().local_get(0).i64_const(COUNTED as i64).i64_ge_u();
    code.when();
    code.put().local_get(0).i32_wrap_i64().i32_const(distance as i32).i32_sub().local_tee(count);
    code.put().local_get(count).i32_load(word(0)).i32_const(1).i32_add().i32_store(word(0));
    code.end();
    code.put().local_get(0);
    code.finish()
}

/// Gives up a reference to a value that has a count.
fn release(distance: u32) -> Function {
    let mut code = Code::new(&[I64]);
    let (count, left) = (code.local(I32), code.local(I32));
    code.put().local_get(0).i32_wrap_i64().i32_const(distance as i32).i32_sub().local_tee(count);
    code.put().local_get(count).i32_load(word(0)).i32_const(1).i32_sub().local_tee(left).i32_store(word(0));
    code.put().local_get(left).i32_const(0).i32_le_s();
    code.when();
    code.put().local_get(0).call(Helper::Free.index());
    code.end();
    code.finish()
}
