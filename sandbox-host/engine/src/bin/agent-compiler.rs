//! Compiles one program and ends: `agent-compiler command|component|script`, the module on standard input, machine code on standard output.
//! Exit code 1 and the reason on standard error for a program that cannot be compiled. Whoever starts it bounds its time and memory.
use agent_engine::compiler::compile;
use agent_engine::program::ProgramKind;
use std::io::{Read, Write, stdin, stdout};
use std::process::ExitCode;

fn main() -> ExitCode {
    let kind = std::env::args().nth(1).and_then(|name| ProgramKind::named(&name));
    let Some(kind) = kind else {
        eprintln!("usage: agent-compiler command|component|script <program >code");
        return ExitCode::from(2);
    };
    let mut wasm = Vec::new();
    let compiled = match stdin().read_to_end(&mut wasm) {
        Ok(_) => compile(kind, &wasm).map_err(|refusal| refusal.message().to_owned()),
        Err(error) => Err(format!("the program cannot be read: {error}")),
    };
    let written =
        compiled.and_then(|code| stdout().write_all(&code).map_err(|error| format!("the code cannot be written: {error}")));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
