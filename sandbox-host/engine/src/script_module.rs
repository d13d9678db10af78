//! Rewrites the script engine's module twice: `extend` appends our driver functions, `bake` makes an initialised memory the
//! module's own, so that Wasmtime maps it copy-on-write into every instance.
use crate::script_driver::{FUNCTIONS, GLOBALS, IMPORTS, Places, bodies};
use std::collections::HashMap;
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, EntityType, ExportKind, ExportSection, FunctionSection, GlobalSection, GlobalType,
    ImportSection, MemorySection, Module, TypeSection, ValType,
};
use wasmparser::{ExternalKind, Operator, Parser, Payload, TypeRef};

type Rewritten<T> = Result<T, Error<String>>;

/// What the rewriting must know before it starts.
#[derive(Default)]
struct Layout {
    types: u32,
    functions_imported: u32,
    functions: u32,
    globals: u32,
    imports: HashMap<String, u32>,
    exports: HashMap<String, u32>,
}

impl Layout {
    fn read(wasm: &[u8]) -> Result<Self, String> {
        let mut layout = Self::default();
        for payload in Parser::new(0).parse_all(wasm) {
            layout.note(payload.map_err(message)?)?;
        }
        Ok(layout)
    }

    fn note(&mut self, payload: Payload<'_>) -> Result<(), String> {
        match payload {
            Payload::TypeSection(section) => {
                for group in section {
                    self.types += u32::try_from(group.map_err(message)?.types().len()).map_err(message)?;
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import.map_err(message)?;
                    if !matches!(import.ty, TypeRef::Func(_)) {
                        return Err(format!("it imports {}.{}, which is no function", import.module, import.name));
                    }
                    self.imports.insert(import.name.to_owned(), self.functions_imported);
                    self.functions_imported += 1;
                }
            }
            Payload::FunctionSection(section) => self.functions = section.count(),
            Payload::GlobalSection(section) if section.count() != 1 => {
                return Err("it does not have the stack pointer as its one global".into());
            }
            Payload::GlobalSection(section) => self.globals = section.count(),
            Payload::MemorySection(section) if section.count() != 1 => return Err("it does not have exactly one memory".into()),
            Payload::StartSection { .. } => return Err("it has a start function, which would undo the initialised memory".into()),
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export.map_err(message)?;
                    if export.kind == ExternalKind::Func {
                        self.exports.insert(export.name.to_owned(), export.index);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn appended_function(&self, position: usize) -> u32 {
        self.functions_imported + IMPORTS.len() as u32 + self.functions + position as u32
    }

    fn moved_function(&self, index: u32) -> u32 {
        for (position, (name, ..)) in FUNCTIONS.iter().enumerate() {
            if index < self.functions_imported && self.imports.get(*name) == Some(&index) {
                return self.appended_function(position);
            }
        }
        if index < self.functions_imported { index } else { index + IMPORTS.len() as u32 }
    }

    /// Index, after the rewriting, of a function of ours or an export of the module.
    fn function(&self, name: &str) -> u32 {
        if let Some(position) = IMPORTS.iter().position(|(import, ..)| *import == name) {
            return self.functions_imported + position as u32;
        }
        if let Some(position) = FUNCTIONS.iter().position(|(function, ..)| *function == name) {
            return self.appended_function(position);
        }
        self.moved_function(self.exports[name])
    }

    fn global(&self, name: &str) -> u32 {
        self.globals + GLOBALS.iter().position(|global| *global == name).expect("a global of ours") as u32
    }
}

/// Exports that the driver functions call.
const EXPORTS_NEEDED: [&str; 14] = [
    "wasm_malloc",
    "wasm_free",
    "qjs_eval",
    "qjs_call",
    "qjs_new_string",
    "qjs_new_number",
    "qjs_free_value",
    "qjs_free_cstring",
    "qjs_get_string_len",
    "qjs_is_string",
    "qjs_is_exception",
    "qjs_get_exception",
    "qjs_execute_pending_job",
    "qjs_get_array_buffer",
];

/// Appends the driver functions of `script_driver`.
pub fn extend(wasm: &[u8]) -> Result<Vec<u8>, String> {
    let layout = Layout::read(wasm)?;
    if let Some(missing) = EXPORTS_NEEDED.iter().find(|name| !layout.exports.contains_key(**name)) {
        return Err(format!("it does not export {missing}"));
    }
    let mut module = Module::new();
    Extender { layout }.parse_core_module(&mut module, Parser::new(0), wasm).map_err(message)?;
    Ok(module.finish())
}

struct Extender {
    layout: Layout,
}

impl Reencode for Extender {
    type Error = String;

    fn function_index(&mut self, index: u32) -> Rewritten<u32> {
        Ok(self.layout.moved_function(index))
    }

    fn parse_type_section(&mut self, types: &mut TypeSection, section: wasmparser::TypeSectionReader<'_>) -> Rewritten<()> {
        utils::parse_type_section(self, types, section)?;
        for (_, params, results) in IMPORTS {
            types.ty().function(params.iter().copied(), results.iter().copied());
        }
        for (_, params, results, _) in FUNCTIONS {
            types.ty().function(params.iter().copied(), results.iter().copied());
        }
        Ok(())
    }

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: wasmparser::ImportSectionReader<'_>,
    ) -> Rewritten<()> {
        utils::parse_import_section(self, imports, section)?;
        for (position, (name, ..)) in IMPORTS.iter().enumerate() {
            imports.import("agent_host", name, EntityType::Function(self.layout.types + position as u32));
        }
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Rewritten<()> {
        utils::parse_function_section(self, functions, section)?;
        for position in 0..FUNCTIONS.len() {
            functions.function(self.layout.types + (IMPORTS.len() + position) as u32);
        }
        Ok(())
    }

    fn parse_global_section(
        &mut self,
        globals: &mut GlobalSection,
        section: wasmparser::GlobalSectionReader<'_>,
    ) -> Rewritten<()> {
        utils::parse_global_section(self, globals, section)?;
        for _ in GLOBALS {
            globals.global(handle_global(), &ConstExpr::i32_const(0));
        }
        Ok(())
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: wasmparser::ExportSectionReader<'_>,
    ) -> Rewritten<()> {
        utils::parse_export_section(self, exports, section)?;
        for name in GLOBALS {
            exports.export(&format!("{name}_handle"), ExportKind::Global, self.layout.global(name));
        }
        for (name, _, _, exported) in FUNCTIONS {
            if exported {
                exports.export(name, ExportKind::Func, self.layout.function(name));
            }
        }
        Ok(())
    }

    fn parse_code_section(&mut self, code: &mut CodeSection, section: wasmparser::CodeSectionReader<'_>) -> Rewritten<()> {
        utils::parse_code_section(self, code, section)?;
        let places = Places { function: &|name| self.layout.function(name), global: &|name| self.layout.global(name) };
        for body in bodies(&places) {
            code.function(&body);
        }
        Ok(())
    }

    fn instruction<'a>(&mut self, operator: Operator<'a>) -> Rewritten<wasm_encoder::Instruction<'a>> {
        // The image holds memory and globals, so nothing else of an instance may ever change.
        match operator {
            Operator::TableSet { .. }
            | Operator::TableGrow { .. }
            | Operator::TableFill { .. }
            | Operator::TableCopy { .. }
            | Operator::TableInit { .. }
            | Operator::MemoryInit { .. } => {
                Err(Error::UserError("it changes its table or drops data, which an image of its memory cannot hold".into()))
            }
            other => utils::instruction(self, other),
        }
    }
}

fn handle_global() -> GlobalType {
    GlobalType { val_type: ValType::I32, mutable: true, shared: false }
}

/// Makes `memory` and `globals` (values of all globals, in order) the state with which instances of `extended` begin.
pub fn bake(extended: &[u8], memory: &[u8], globals: &[i32]) -> Result<Vec<u8>, String> {
    let mut module = Module::new();
    Baker { memory, globals }.parse_core_module(&mut module, Parser::new(0), extended).map_err(message)?;
    Ok(module.finish())
}

struct Baker<'a> {
    memory: &'a [u8],
    globals: &'a [i32],
}

impl Reencode for Baker<'_> {
    type Error = String;

    fn parse_memory_section(
        &mut self,
        memories: &mut MemorySection,
        section: wasmparser::MemorySectionReader<'_>,
    ) -> Rewritten<()> {
        for memory in section {
            let mut memory = self.memory_type(memory?)?;
            memory.minimum = (self.memory.len() / 65_536) as u64;
            memories.memory(memory);
        }
        Ok(())
    }

    fn parse_global_section(&mut self, globals: &mut GlobalSection, _: wasmparser::GlobalSectionReader<'_>) -> Rewritten<()> {
        for value in self.globals {
            globals.global(handle_global(), &ConstExpr::i32_const(*value));
        }
        Ok(())
    }

    fn data_count(&mut self, _: u32) -> Rewritten<u32> {
        Ok(1)
    }

    fn parse_data_section(&mut self, data: &mut DataSection, _: wasmparser::DataSectionReader<'_>) -> Rewritten<()> {
        data.active(0, &ConstExpr::i32_const(0), self.memory.iter().copied());
        Ok(())
    }
}

fn message(error: impl std::fmt::Display) -> String {
    error.to_string()
}
