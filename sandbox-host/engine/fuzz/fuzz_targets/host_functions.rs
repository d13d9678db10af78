//! A command that calls WASI functions in any order with any arguments: pointers, lengths, descriptors, flags. Its run must end in an
//! outcome within its limits; a panic of ours or a write outside the guest's memory ends this process.
#![no_main]
use agent_engine::bench::block_on;
use agent_engine::command::{Command, assemble, command_linker, run};
use agent_engine::compiler::compile_for;
use agent_engine::engine::{PoolSize, sandbox_engine};
use agent_engine::limits::{RunLimits, RunRequest};
use agent_engine::program::ProgramKind;
use agent_engine::store::GuestState;
use libfuzzer_sys::arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use wasm_encoder::ValType::{self, I32, I64};
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection,
    MemorySection, MemoryType, Module, TypeSection,
};

/// Parameters of what has any; every one of them returns an errno.
const FUNCTIONS: &[(&str, &[ValType])] = &[
    ("args_sizes_get", &[I32, I32]),
    ("args_get", &[I32, I32]),
    ("environ_sizes_get", &[I32, I32]),
    ("clock_res_get", &[I32, I32]),
    ("clock_time_get", &[I32, I64, I32]),
    ("random_get", &[I32, I32]),
    ("poll_oneoff", &[I32, I32, I32, I32]),
    ("fd_close", &[I32]),
    ("fd_renumber", &[I32, I32]),
    ("fd_advise", &[I32, I64, I64, I32]),
    ("fd_allocate", &[I32, I64, I64]),
    ("fd_fdstat_get", &[I32, I32]),
    ("fd_fdstat_set_flags", &[I32, I32]),
    ("fd_filestat_get", &[I32, I32]),
    ("fd_filestat_set_size", &[I32, I64]),
    ("fd_filestat_set_times", &[I32, I64, I64, I32]),
    ("fd_prestat_get", &[I32, I32]),
    ("fd_prestat_dir_name", &[I32, I32, I32]),
    ("fd_read", &[I32, I32, I32, I32]),
    ("fd_pread", &[I32, I32, I32, I64, I32]),
    ("fd_write", &[I32, I32, I32, I32]),
    ("fd_pwrite", &[I32, I32, I32, I64, I32]),
    ("fd_seek", &[I32, I64, I32, I32]),
    ("fd_tell", &[I32, I32]),
    ("fd_readdir", &[I32, I32, I32, I64, I32]),
    ("path_open", &[I32, I32, I32, I32, I32, I64, I64, I32, I32]),
    ("path_create_directory", &[I32, I32, I32]),
    ("path_remove_directory", &[I32, I32, I32]),
    ("path_unlink_file", &[I32, I32, I32]),
    ("path_rename", &[I32, I32, I32, I32, I32, I32]),
    ("path_filestat_get", &[I32, I32, I32, I32, I32]),
    ("path_filestat_set_times", &[I32, I32, I32, I32, I64, I64, I32]),
    ("path_readlink", &[I32, I32, I32, I32, I32, I32]),
];
const CALLS_MAX: usize = 24;

static ENGINE: LazyLock<wasmtime::Engine> =
    LazyLock::new(|| sandbox_engine(&PoolSize { slots: 4, memory_bytes_max: 16 << 20 }).expect("an engine"));

fuzz_target!(|data: &[u8]| {
    let Ok(wasm) = module_of(data) else { return };
    let command = command_of(&wasm);
    let limits = RunLimits {
        memory_bytes: 16 << 20,
        wall_ms: 2_000,
        fuel: 50_000_000,
        input_bytes: 1 << 10,
        output_bytes: 1 << 16,
        log_bytes: 1 << 12,
        artifact_bytes: 1 << 16,
        artifact_count: 4,
    };
    let args = vec!["a".to_owned(), "bc".to_owned()];
    let request = RunRequest { input: "[1]".into(), seed: 1, start_time_ms: 1, limits, args };
    let (_, store, _) = block_on(run(&ENGINE, &command, request, None)).expect("the engine works");
    let state: &GuestState = store.data();
    assert!(state.output.len() <= 1 << 16 && state.stderr.len() <= 1 << 12 && state.artifacts.len() <= 4);
    assert!(state.artifacts.iter().map(|artifact| artifact.bytes.len()).sum::<usize>() <= 1 << 16);
});

fn command_of(wasm: &[u8]) -> Command {
    let code = compile_for(&ENGINE, ProgramKind::Command, wasm).expect("it is valid");
    // SAFETY: made in the line before.
    let module = unsafe { wasmtime::Module::deserialize(&ENGINE, code) }.expect("it is code");
    assemble(&command_linker(&ENGINE).expect("a linker"), &module).expect("it links")
}

/// The first bytes are calls, the rest lies at 0 in its memory.
fn module_of(data: &[u8]) -> Result<Vec<u8>> {
    let mut input = Unstructured::new(data);
    let (mut types, mut imports) = (TypeSection::new(), ImportSection::new());
    for (number, (name, parameters)) in FUNCTIONS.iter().enumerate() {
        types.ty().function(parameters.iter().copied(), [I32]);
        imports.import("wasi_snapshot_preview1", name, EntityType::Function(number as u32));
    }
    types.ty().function([], []);
    let mut body = Function::new([]);
    for _ in 0..input.int_in_range(0..=CALLS_MAX)? {
        let number = input.int_in_range(0..=FUNCTIONS.len() - 1)?;
        for parameter in FUNCTIONS[number].1 {
            match parameter {
                I64 => body.instructions().i64_const(number_of(&mut input)?),
                _ => body.instructions().i32_const(number_of(&mut input)? as i32),
            };
        }
        body.instructions().call(number as u32).drop();
    }
    body.instructions().end();
    let mut functions = FunctionSection::new();
    functions.function(FUNCTIONS.len() as u32);
    let mut memories = MemorySection::new();
    memories.memory(MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None });
    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, 0).export("_start", ExportKind::Func, FUNCTIONS.len() as u32);
    let mut code = CodeSection::new();
    code.function(&body);
    let mut contents = DataSection::new();
    contents.active(0, &ConstExpr::i32_const(0), input.take_rest().iter().copied().take(65_536));
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&functions).section(&memories).section(&exports).section(&code);
    Ok(module.section(&contents).clone().finish())
}

/// Small ones, ones near the edges, or any.
fn number_of(input: &mut Unstructured<'_>) -> Result<i64> {
    Ok(match input.int_in_range(0..=3)? {
        0 => i64::from(u8::arbitrary(input)? % 8),
        1 => i64::from(u16::arbitrary(input)?),
        2 => [0, -1, 65_535, 65_536, i64::from(i32::MAX), i64::from(u32::MAX), i64::MIN][usize::from(u8::arbitrary(input)? % 7)],
        _ => i64::arbitrary(input)?,
    })
}
