//! What a module may consist of, each count just below and just above. Built by hand: no text is this long.
mod support;
use agent_engine::upload::{MODULE_BYTES_MAX, check_command, check_component};
use wasm_encoder::{
    CodeSection, ConstExpr, CustomSection, DataSection, ExportKind, ExportSection, Function, FunctionSection, GlobalSection,
    GlobalType, ImportSection, MemorySection, MemoryType, Module, TypeSection, ValType,
};

/// A command with so many of each beyond what a command needs.
#[derive(Clone, Copy, Default)]
struct Shape {
    imports: u32,
    functions: u32,
    globals: u32,
    exports: u32,
    data_segments: u32,
    padding: usize,
}

fn module(shape: Shape) -> Vec<u8> {
    let (mut types, mut imports, mut functions, mut code) =
        (TypeSection::new(), ImportSection::new(), FunctionSection::new(), CodeSection::new());
    types.ty().function([], []);
    types.ty().function([ValType::I32], []);
    for _ in 0..shape.imports {
        imports.import("wasi_snapshot_preview1", "proc_exit", wasm_encoder::EntityType::Function(1));
    }
    for _ in 0..=shape.functions {
        functions.function(0);
        let mut body = Function::new([]);
        body.instructions().end();
        code.function(&body);
    }
    let (mut memories, mut globals, mut exports, mut data) =
        (MemorySection::new(), GlobalSection::new(), ExportSection::new(), DataSection::new());
    memories.memory(MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None });
    for _ in 0..shape.globals {
        globals.global(GlobalType { val_type: ValType::I32, mutable: false, shared: false }, &ConstExpr::i32_const(0));
    }
    exports.export("_start", ExportKind::Func, shape.imports).export("memory", ExportKind::Memory, 0);
    for number in 0..shape.exports {
        exports.export(&format!("e{number}"), ExportKind::Func, shape.imports);
    }
    for _ in 0..shape.data_segments {
        data.active(0, &ConstExpr::i32_const(0), []);
    }
    let padding = vec![0; shape.padding];
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&functions).section(&memories).section(&globals);
    module.section(&exports).section(&code).section(&data);
    if shape.padding > 0 {
        module.section(&CustomSection { name: "p".into(), data: (&padding).into() });
    }
    module.finish()
}

#[test]
fn counts_are_bounded() {
    let none = Shape::default();
    for (below, what) in [
        (Shape { imports: 1_000, ..none }, "1001 imports, allowed are 1000"),
        (Shape { functions: 99_999, ..none }, "100001 functions, allowed are 100000"),
        (Shape { globals: 10_000, ..none }, "10001 globals, allowed are 10000"),
        (Shape { exports: 9_998, ..none }, "10001 exports, allowed are 10000"),
        (Shape { data_segments: 100_000, ..none }, "100001 data segments, allowed are 100000"),
    ] {
        assert_eq!(check_command(&module(below)), Ok(()), "just below: {what}");
        let mut above = below;
        for count in [&mut above.imports, &mut above.functions, &mut above.globals, &mut above.exports, &mut above.data_segments]
        {
            *count += u32::from(*count > 0);
        }
        assert_eq!(check_command(&module(above)), Err(format!("the program has {what}")));
    }
}

#[test]
fn bytes_are_bounded() {
    let rest = module(Shape { padding: 1 << 20, ..Shape::default() }).len() - (1 << 20);
    // The length of the padding is itself encoded in 4 bytes from 2 MiB on, one more than at 1 MiB.
    let exactly = MODULE_BYTES_MAX - rest - 1;
    let whole = module(Shape { padding: exactly, ..Shape::default() });
    assert_eq!((whole.len(), check_command(&whole)), (MODULE_BYTES_MAX, Ok(())));
    let long = module(Shape { padding: exactly + 1, ..Shape::default() });
    let told = Err(format!("the module is {} bytes, allowed are {MODULE_BYTES_MAX}", MODULE_BYTES_MAX + 1));
    assert_eq!(check_command(&long), told);
}

#[test]
fn a_component_counts_all_its_modules() {
    let with = |modules: usize, each: Shape| {
        let mut component = wasm_encoder::Component::new();
        for _ in 0..modules {
            let inner = module(each);
            component.section(&wasm_encoder::RawSection { id: 1, data: &inner });
        }
        check_component(&component.finish())
    };
    let half = Shape { functions: 49_999, ..Shape::default() };
    assert_eq!(with(2, half), Ok(()));
    assert_eq!(with(3, half), Err("the program has 150000 functions, allowed are 100000".into()));
    assert_eq!(with(64, Shape::default()), Ok(()));
    assert_eq!(with(65, Shape::default()), Err("the program has 65 modules and components inside, allowed are 64".into()));
}

#[test]
fn the_wrong_kind_is_named() {
    let command = module(Shape::default());
    assert!(check_component(&command).is_err_and(|why| why.contains("core module")));
    assert!(check_command(&wasm_encoder::Component::new().finish()).is_err_and(|why| why.contains("component")));
    for check in [check_command, check_component] {
        assert!(check(b"no module").is_err_and(|why| why.contains("\\0asm")));
    }
}
