//! Each limit just below and just above, for both kinds, with the usage that is reported.
mod support;
use agent_engine::limits::{RunLimits, RunRequest};
use agent_engine::outcome::Status;
use support::{command, limits, message, output, request, run, run_with, script};

/// A command whose `_start` has this body.
fn body(text: &str) -> u32 {
    command(&format!(
        r#"(module
            (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
            (memory (export "memory") 1)
            (table 1 funcref)
            (func $deep (param i32) (result i32) (i32.add (call $deep (local.get 0)) (i32.const 1)))
            (func (export "_start") {text}))"#
    ))
}

#[test]
fn fuel_is_exact() {
    for handle in [script("export default () => { let s = 0; for (let i = 0; i < 1000; i++) s += i; return s }"), body("(nop)")] {
        let used = run(handle, request("1")).fuel;
        let enough = run_with(handle, |limits| limits.fuel = used);
        let short = run_with(handle, |limits| limits.fuel = used - 1);
        assert_eq!((enough.status, enough.fuel), (Status::Completed, used));
        assert_eq!((short.status, short.fuel), (Status::OutOfFuel, used - 1));
    }
}

#[test]
fn endless_loops_use_up_their_fuel() {
    for handle in [
        script("export default () => { for (;;); }"),
        body("(loop (br 0))"),
        script("export default () => { const f = () => Promise.resolve().then(f); return f() }"),
    ] {
        let outcome = run_with(handle, |limits| limits.fuel = 20_000_000);
        assert_eq!((outcome.status, outcome.fuel), (Status::OutOfFuel, 20_000_000));
    }
}

#[test]
fn the_deadline_stops_whatever_does_not_end() {
    let endless = [
        script("export default () => { for (;;); }"),
        script("export default () => /(x+x+)+y/.test('x'.repeat(60))"),
        script("export default () => { for (;;) 'x'.repeat(1 << 20) }"),
        script("export default () => { for (;;) new Array(100000).fill(0).sort(() => 0.5 - Math.random()) }"),
        script("export default () => { for (;;) console.log('x'.repeat(10000)) }"),
        body("(loop (br 0))"),
        body("(drop (memory.grow (i32.const 500))) (loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 30000000)) (br 0))"),
        body("(drop (memory.grow (i32.const 500))) (loop (drop (call $random_get (i32.const 0) (i32.const 30000000))) (br 0))"),
        body("(loop (drop (call $random_get (i32.const 0) (i32.const 65536))) (br 0))"),
    ];
    for (number, handle) in endless.into_iter().enumerate() {
        let outcome = run_with(handle, |limits| (limits.wall_ms, limits.fuel) = (50, 1 << 50));
        assert_eq!(outcome.status, Status::Deadline, "{number}: {}", message(&outcome));
        assert!(outcome.wall_micros < 1_000_000, "{number} took {} us", outcome.wall_micros);
        assert!(outcome.fuel > 0);
    }
}

#[test]
fn memory_is_bounded_to_the_page() {
    let handle = body("(drop (memory.grow (i32.const 9)))");
    let enough = run_with(handle, |limits| limits.memory_bytes = 10 * 65_536);
    let short = run_with(handle, |limits| limits.memory_bytes = 10 * 65_536 - 1);
    assert_eq!((enough.status, enough.memory_bytes_peak), (Status::Completed, 10 * 65_536));
    assert_eq!((short.status, short.memory_bytes_peak), (Status::MemoryLimit, 65_536));
    assert_eq!(message(&short), "wanted 655360 bytes of memory, allowed are 655359");
    assert_eq!(run_with(handle, |limits| limits.memory_bytes = 1).status, Status::MemoryLimit);
}

#[test]
fn an_allocating_script_ends_at_its_memory() {
    for source in [
        "export default () => { const all = []; for (;;) all.push(new Uint8Array(100000)) }",
        "export default () => 'x'.repeat(100_000_000).length",
        "export default () => { const all = {}; for (let i = 0; ; i++) all['k' + i] = {} }",
        "export default () => new Uint8Array(100_000_000).length",
    ] {
        let outcome = run_with(script(source), |limits| limits.memory_bytes = 16 << 20);
        assert_eq!(outcome.status, Status::MemoryLimit, "{source}: {}", message(&outcome));
        assert!(outcome.memory_bytes_peak <= 16 << 20);
    }
}

#[test]
fn a_stack_that_is_used_up_is_a_trap() {
    let outcome = run(body("(drop (call $deep (i32.const 0)))"), request("1"));
    assert_eq!((outcome.status, message(&outcome)), (Status::Trapped, "stack overflow: a recursion went too deep"));
    assert_eq!(run(body("(unreachable)"), request("1")).status, Status::Trapped);
}

#[test]
fn output_is_bounded() {
    let handle = script("export default (n) => 'x'.repeat(n)");
    let bounded =
        |input: &str| run(handle, RunRequest { limits: RunLimits { output_bytes: 1_000, ..limits() }, ..request(input) });
    assert_eq!(output(&bounded("998")).len(), 1_000);
    let long = bounded("999");
    assert_eq!((long.status, message(&long)), (Status::OutputLimit, "output of 1001 bytes, allowed are 1000"));
}

#[test]
fn logs_are_cut_off() {
    let handle = script("export default (n) => { console.log('x'.repeat(n)) }");
    let bounded = |input: &str| run(handle, RunRequest { limits: RunLimits { log_bytes: 1_000, ..limits() }, ..request(input) });
    let (whole, cut) = (bounded("999"), bounded("1000"));
    assert_eq!((whole.stdout.len(), whole.logs_truncated), (1_000, false));
    assert_eq!((cut.stdout.len(), cut.logs_truncated, cut.status), (1_000, true, Status::Completed));
}

#[test]
fn artifacts_are_bounded() {
    let handle = script(
        "export default ([count, bytes], { artifact }) => { for (let i = 0; i < count; i++) artifact('a' + i, 'x'.repeat(bytes)) }",
    );
    let bounded = |input: &str| {
        let limits = RunLimits { artifact_count: 3, artifact_bytes: 300, ..limits() };
        run(handle, RunRequest { limits, ..request(input) })
    };
    assert_eq!(bounded("[3,100]").artifacts.len(), 3);
    assert_eq!(bounded("[4,1]").status, Status::OutputLimit);
    assert_eq!(bounded("[3,101]").status, Status::OutputLimit);
    assert_eq!(bounded("[1,301]").status, Status::OutputLimit);
}

#[test]
fn a_deploy_is_bounded_too() {
    use agent_engine::bench::block_on;
    use agent_engine::outcome::Refusal;
    use agent_engine::program::ProgramKind::Script;
    let deploy = |source: &str| {
        let limits = RunLimits { wall_ms: 100, fuel: 50_000_000, ..limits() };
        block_on(support::SANDBOX.kernel().prepare(Script, source.into(), limits)).expect("the engine works")
    };
    for source in [
        "for (;;);",
        "const a = []; for (;;) a.push(new Uint8Array(1 << 20))",
        "await new Promise(function f(r) { setTimeout(() => f(r)) })",
    ] {
        let refused = deploy(source);
        assert!(matches!(refused, Err(Refusal::Limit(_))), "{source}: {refused:?}");
    }
}
