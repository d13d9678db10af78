//! The limits of a command, each just below and just above. Those of scripts are in `limits.rs`.
mod support;
use agent_engine::limits::{RunLimits, RunRequest};
use agent_engine::outcome::Status;
use support::{command, limits, message, request, run, run_with};

/// A command whose `_start` has this body. `$write` writes so many zeros, as digits, to a descriptor; `$file` makes `/out/<digit>`.
fn body(text: &str) -> u32 {
    command(&format!(
        r#"(module
            (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "path_open"
                (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
            (memory (export "memory") 2)
            (table $table 1 funcref)
            (data (i32.const 32) "0")
            (func $write (param $fd i32) (param $bytes i32)
                (memory.fill (i32.const 4096) (i32.const 0x30) (local.get $bytes))
                (i32.store (i32.const 0) (i32.const 4096))
                (i32.store (i32.const 4) (local.get $bytes))
                (drop (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 16))))
            (func $file (param $number i32) (param $bytes i32)
                (i32.store8 (i32.const 32) (i32.add (i32.const 0x30) (local.get $number)))
                (if (call $path_open (i32.const 3) (i32.const 0) (i32.const 32) (i32.const 1) (i32.const 1)
                        (i64.const -1) (i64.const -1) (i32.const 0) (i32.const 40))
                    (then (unreachable)))
                (call $write (i32.load (i32.const 40)) (local.get $bytes)))
            (func $deep (param $left i32)
                (if (local.get $left) (then (call $deep (i32.sub (local.get $left) (i32.const 1))))))
            (func (export "_start") {text}))"#
    ))
}

#[test]
fn output_is_bounded_to_the_byte() {
    // A single 0 is JSON; blanks before it are cut off but count, because the host held them.
    let written = |bytes: u32| {
        run_with(body(&format!("(call $write (i32.const 1) (i32.const {bytes}))")), |limits| limits.output_bytes = 1)
    };
    assert_eq!((written(1).status, written(1).output.as_deref()), (Status::Completed, Some("0")));
    let long = written(2);
    assert_eq!((long.status, message(&long)), (Status::OutputLimit, "output of at least 2 bytes, allowed are 1"));
    assert!(long.fuel > 0 && long.memory_bytes_peak == 2 * 65_536);
}

#[test]
fn logs_are_cut_off_at_the_byte() {
    let handle = body("(call $write (i32.const 2) (i32.const 1000)) (call $write (i32.const 1) (i32.const 1))");
    let whole = run_with(handle, |limits| limits.log_bytes = 1_000);
    let cut = run_with(handle, |limits| limits.log_bytes = 999);
    assert_eq!((whole.status, whole.stderr.len(), whole.logs_truncated), (Status::Completed, 1_000, false));
    assert_eq!((cut.status, cut.stderr.len(), cut.logs_truncated), (Status::Completed, 999, true));
}

#[test]
fn artifacts_are_bounded_in_number_and_bytes() {
    let handle = body("(call $file (i32.const 1) (i32.const 100)) (call $file (i32.const 2) (i32.const 200))");
    let with =
        |count: usize, bytes: usize| run_with(handle, |limits| (limits.artifact_count, limits.artifact_bytes) = (count, bytes));
    let enough = with(2, 300);
    let named: Vec<_> = enough.artifacts.iter().map(|artifact| (artifact.name.as_str(), artifact.bytes.len())).collect();
    assert_eq!((enough.status, named), (Status::Completed, vec![("1", 100), ("2", 200)]));
    for short in [with(2, 299), with(1, 300)] {
        assert_ne!(short.status, Status::Completed, "{}", message(&short));
        assert!(short.artifacts.iter().map(|artifact| artifact.bytes.len()).sum::<usize>() <= 300);
    }
}

#[test]
fn a_table_is_bounded_to_the_element() {
    let grown =
        |elements: u32| run(body(&format!("(drop (table.grow $table (ref.null func) (i32.const {elements})))")), request("1"));
    assert_eq!(grown(65_535).status, Status::Completed);
    let large = grown(65_536);
    assert_eq!((large.status, message(&large)), (Status::MemoryLimit, "wanted a table of 65537 elements, allowed are 65536"));
}

#[test]
fn a_recursion_that_fits_the_stack_returns() {
    let deep = |calls: u32| run(body(&format!("(call $deep (i32.const {calls}))")), request("1"));
    assert_eq!(deep(20_000).status, Status::Completed);
    let deeper = deep(2_000_000);
    assert_eq!((deeper.status, message(&deeper)), (Status::Trapped, "stack overflow: a recursion went too deep"));
}

#[test]
fn input_is_bounded_to_the_byte() {
    use agent_engine::reply::Reply;
    use agent_engine::sandbox::Rejection;
    let handle = body("(nop)");
    let sent = |bytes: usize| {
        let limits = RunLimits { input_bytes: 10, ..limits() };
        let request = RunRequest { limits, ..request(&"1".repeat(bytes)) };
        support::SANDBOX.run(handle, request, Reply::new(|_| ()))
    };
    assert_eq!(sent(10), Ok(()));
    assert_eq!(sent(11), Err(Rejection::InputTooLarge { bytes: 11, allowed: 10 }));
}
