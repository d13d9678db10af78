//! Compiled functions as a Wasm module that works in the memory of the engine's instance and adds its functions to the engine's table.
use super::code::Code;
use super::helpers::{COMPILED_PARAMETERS, HELPERS};
use super::shared::SHARED;
use super::unit::Unit;
use wasm_encoder::ValType::{self, I32, I64};
use wasm_encoder::{
    CodeSection, ConstExpr, ElementSection, Elements, EntityType, Function, FunctionSection, GlobalType, ImportSection,
    MemoryType, Module, RefType, TableType, TypeSection,
};

/// Of the imports.
pub const ENGINE: &str = "engine";
pub const MEMORY: &str = "memory";
pub const TABLE: &str = "__indirect_function_table";
pub const STACK_POINTER: &str = "__stack_pointer";

fn unreachable(parameters: &[ValType]) -> Function {
    let mut code = Code::new(parameters);
    code.put().unreachable();
    code.finish()
}

/// `table_base` is the length of the engine's table before the module's functions are added.
pub fn side_module(unit: &Unit<'_>, functions: &[Function], table_base: u32) -> Vec<u8> {
    let compiled = HELPERS.len() as u32;
    let mut types = TypeSection::new();
    for (_, parameters, results) in HELPERS {
        types.ty().function(parameters.iter().copied(), results.iter().copied());
    }
    types.ty().function(COMPILED_PARAMETERS, [I64]);
    for (_, parameters, results) in SHARED {
        types.ty().function(parameters.iter().copied(), results.iter().copied());
    }

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
    // From the last to the first: each may call those before it only. What nothing calls is there without its code.
    let mut shared: Vec<Function> = SHARED
        .iter()
        .rev()
        .map(|(shared, parameters, _)| if unit.is_used(*shared) { shared.code(unit) } else { unreachable(parameters) })
        .collect();
    shared.reverse();
    for (index, function) in shared.iter().enumerate() {
        declared.function(compiled + 1 + index as u32);
        code.function(function);
    }
    for function in functions {
        declared.function(compiled);
        code.function(function);
    }
    let first = unit.function_index(0);
    let indices: Vec<u32> = (first..first + functions.len() as u32).collect();
    let mut elements = ElementSection::new();
    elements.active(None, &ConstExpr::i32_const(table_base as i32), Elements::Functions(indices.into()));

    let mut module = Module::new();
    module.section(&types).section(&imports).section(&declared).section(&elements).section(&code);
    module.finish()
}
