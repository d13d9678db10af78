//! Stored forms: another process of the same build runs them alike, and what is none of them is refused.
mod support;
use agent_engine::bench::block_on;
use agent_engine::compiler::compile;
use agent_engine::outcome::{Refusal, RunOutcome};
use agent_engine::program::ProgramKind;
use agent_engine::snapshot::Snapshot;
use support::{SANDBOX, command, message, output, prepare, request, run, script};

fn reload(kind: ProgramKind, stored: &[u8]) -> u32 {
    // SAFETY: the bytes are what this process stored or compiled.
    let loaded = unsafe { SANDBOX.kernel().load(kind, stored) };
    loaded.expect("a stored form").expect("a valid program").handle
}

fn essence(outcome: &RunOutcome) -> (String, Vec<u8>, u64, u64) {
    (output(outcome).to_owned(), outcome.stdout.clone(), outcome.fuel, outcome.memory_bytes_peak)
}

#[test]
fn a_stored_program_runs_as_the_prepared_one() {
    let source =
        "const table = Array.from({ length: 30000 }, (_, i) => i * 2); export default (i) => { console.log(i); return table[i] }";
    let noop = r#"(module (memory (export "memory") 3) (func (export "_start")))"#;
    for (kind, prepared) in [(ProgramKind::Script, script(source)), (ProgramKind::Command, command(noop))] {
        let stored = SANDBOX.kernel().stored(prepared).expect("a stored form");
        let again = reload(kind, &stored);
        assert_eq!(essence(&run(again, request("21000"))), essence(&run(prepared, request("21000"))));
    }
}

#[test]
fn what_the_compiler_process_makes_can_be_loaded() {
    let wasm = wat::parse_str(r#"(module (memory (export "memory") 1) (func (export "_start")))"#).expect("valid text");
    let code = compile(ProgramKind::Command, &wasm).expect("a valid module");
    assert_eq!(output(&run(reload(ProgramKind::Command, &code), request("1"))), "null");
}

#[test]
fn what_a_module_imports_is_checked_before_it_is_compiled_and_again_when_it_is_loaded() {
    let foreign = wat::parse_str(r#"(module (import "env" "f" (func)) (memory (export "memory") 1) (func (export "_start")))"#);
    let foreign = foreign.expect("valid text");
    let refused = compile(ProgramKind::Command, &foreign).expect_err("a foreign import");
    assert!(refused.message().contains("env.f"), "{refused:?}");
    // Right by name, wrong by type: only linking notices.
    let wrong = r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func (param i64))) (memory (export "memory") 1) (func (export "_start")))"#;
    let code = compile(ProgramKind::Command, &wat::parse_str(wrong).expect("valid text")).expect("it compiles");
    // SAFETY: this process compiled it.
    let loaded = unsafe { SANDBOX.kernel().load(ProgramKind::Command, &code) }.expect("a stored form");
    assert!(matches!(loaded, Err(Refusal::InvalidProgram(why)) if why.contains("proc_exit")));
}

#[test]
fn damaged_forms_are_refused() {
    let stored = SANDBOX.kernel().stored(script("export default (x) => x")).expect("a stored form");
    for (damaged, why) in [
        (b"".to_vec(), "mark"),
        (stored[..stored.len() - 1].to_vec(), "differ in length"),
        ([&stored[..], b"x"].concat(), "differ in length"),
        (stored[..20].to_vec(), "ends early"),
        (with_number(&stored, 0, 65_535), "no number of pages"),
        (with_number(&stored, 0, 1 << 33), "no number of pages"),
        (with_number(&stored, 0, 65_536), "outside its memory"),
        (with_number(&stored, 1, u64::MAX), "before its runs"),
        (with_number(&stored, 2, u64::MAX), "outside its memory"),
    ] {
        let error = Snapshot::decode(&damaged).expect_err(why).to_string();
        assert!(error.contains(why), "{error} should say {why:?}");
    }
    assert_eq!(Snapshot::decode(&stored).expect("it is whole").encode(), stored);
    // SAFETY: not machine code at all, which Wasmtime's header check notices.
    let loaded = unsafe { SANDBOX.kernel().load(ProgramKind::Command, &stored) };
    assert!(loaded.is_err());
}

/// Counted in numbers behind the mark.
fn with_number(stored: &[u8], position: usize, value: u64) -> Vec<u8> {
    let mut changed = stored.to_vec();
    changed[8 + 8 * position..16 + 8 * position].copy_from_slice(&value.to_le_bytes());
    changed
}

#[test]
fn a_stored_script_has_the_limits_of_its_run() {
    let handle = prepare(
        ProgramKind::Script,
        b"const all = []; for (let i = 0; i < 40; i++) all.push(new Uint8Array(100000).fill(1)); export default () => all.length",
    );
    let stored = SANDBOX.kernel().stored(handle.expect("a valid script").handle).expect("a stored form");
    let again = reload(ProgramKind::Script, &stored);
    let mut small = request("1");
    small.limits.memory_bytes = 3 << 20;
    let outcome = run(again, small);
    assert!(message(&outcome).contains("bytes of memory"), "{outcome:?}");
    block_on(async { assert_eq!(output(&run(again, request("1"))), "40") });
}
