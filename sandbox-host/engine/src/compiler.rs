//! From a stranger's module or component to machine code. It needs no pool and no other part of the engine, so that it can run in a
//! process of its own (`bin/agent-compiler.rs`): that compiling ends, and within which memory, is not Wasmtime's promise but ours.
use crate::engine::compiler_engine;
use crate::outcome::Refusal;
use crate::program::ProgramKind;
use crate::script_program::{self, CompilerInput};
use crate::upload::{check_command, check_component};
use wasmtime::Engine;

/// For engines of this build. Of a script it takes a `CompilerInput` and gives the stored form.
pub fn compile(kind: ProgramKind, wasm: &[u8]) -> Result<Vec<u8>, Refusal> {
    let engine = compiler_engine().map_err(refusal)?;
    compile_for(&engine, kind, wasm)
}

/// # Errors
/// What is wrong with the program, in words for its author.
pub fn compile_for(engine: &Engine, kind: ProgramKind, wasm: &[u8]) -> Result<Vec<u8>, Refusal> {
    let compiled = match kind {
        ProgramKind::Command => check_command(wasm).map(|()| engine.precompile_module(wasm)),
        ProgramKind::Component => check_component(wasm).map(|()| engine.precompile_component(wasm)),
        ProgramKind::Script => CompilerInput::decode(wasm)
            .map(|input| script_program::compile(&input))
            .ok_or_else(|| "this is no prepared script".into()),
    };
    compiled.map_err(Refusal::InvalidProgram)?.map_err(refusal)
}

fn refusal(error: wasmtime::Error) -> Refusal {
    Refusal::InvalidProgram(format!("{error:#}"))
}
