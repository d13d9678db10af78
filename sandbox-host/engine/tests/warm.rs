//! The warm pool changes when a run begins and nothing else.
mod support;
use agent_engine::bench::block_on;
use agent_engine::engine::PoolSize;
use agent_engine::outcome::{RunOutcome, Status};
use agent_engine::pool::PoolLimits;
use agent_engine::program::ProgramKind;
use agent_engine::reply::Reply;
use agent_engine::sandbox::{Sandbox, SandboxOptions};
use agent_engine::warm::{WarmLimits, WarmStats};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use support::{SANDBOX, limits, output, repository, request};

const PER_PROGRAM: usize = 3;
const ACTIVE_MAX: usize = 4;

/// Booted from the image of the shared one, with a warm pool of its own.
fn sandbox(total: usize, lifetime: Duration) -> Sandbox {
    sandbox_of(1, 16, WarmLimits { per_program: PER_PROGRAM, total, lifetime })
}

fn sandbox_of(threads: usize, slots: u32, warm_limits: WarmLimits) -> Sandbox {
    let options = SandboxOptions {
        script_module: std::fs::read(repository().join("sandbox-host/engine/script-module/quickjs.wasm"))
            .expect("it is in the repository"),
        prelude: std::fs::read_to_string(repository().join("sandbox-host/guest/prelude.js")).expect("the prelude"),
        script_image: Some(SANDBOX.kernel().script_image().expect("an image")),
        pool_size: PoolSize { slots, memory_bytes_max: 256 << 20 },
        pool_limits: PoolLimits { threads, active_max: ACTIVE_MAX, queue_max: 64 },
        warm_limits,
    };
    // SAFETY: the image is this process's own.
    unsafe { Sandbox::new(options) }.expect("a sandbox")
}

fn prepare(sandbox: &Sandbox, kind: ProgramKind, code: &str) -> u32 {
    let code = if kind == ProgramKind::Script { code.as_bytes().to_vec() } else { wat::parse_str(code).expect("valid text") };
    block_on(sandbox.kernel().prepare(kind, code, limits())).expect("the engine works").expect("a valid program").handle
}

fn run(sandbox: &Sandbox, handle: u32, memory_bytes: u64) -> RunOutcome {
    let mut request = request("{\"n\":1}");
    request.limits.memory_bytes = memory_bytes;
    let (sender, receiver) = mpsc::channel();
    sandbox.run(handle, request, Reply::new(move |answer| sender.send(answer).expect("somebody listens"))).expect("room");
    receiver.recv().expect("an answer").expect("the engine works")
}

fn wait_for(sandbox: &Sandbox, reached: impl Fn(&WarmStats) -> bool) -> WarmStats {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let stats = sandbox.stats().warm;
        if reached(&stats) {
            return stats;
        }
        assert!(Instant::now() < until, "the warm pool stays at {stats:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn essence(outcome: &RunOutcome) -> (Status, Option<String>, Vec<u8>, u64, u64) {
    (outcome.status, outcome.output.clone(), outcome.stdout.clone(), outcome.fuel, outcome.memory_bytes_peak)
}

const MIB: u64 = 1 << 20;
const ECHO: &str =
    "const loaded = Math.random(); export default (x) => { console.log(x, Date.now()); return [x, loaded, Math.random()] }";
const NOOP: &str = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;

#[test]
fn a_pooled_run_gives_what_a_loaded_one_gives() {
    let sandbox = sandbox(8, Duration::from_secs(60));
    for (kind, code) in [(ProgramKind::Script, ECHO), (ProgramKind::Command, NOOP)] {
        let handle = prepare(&sandbox, kind, code);
        let first = run(&sandbox, handle, 64 * MIB);
        let second = run(&sandbox, handle, 64 * MIB);
        assert!(!first.was_warm && !second.was_warm, "a program is hot after its second run");
        let made_before = sandbox.stats().warm.waiting;
        wait_for(&sandbox, |stats| stats.waiting >= made_before.max(PER_PROGRAM));
        for _ in 0..20 {
            let pooled = run(&sandbox, handle, 64 * MIB);
            assert_eq!(essence(&pooled), essence(&first));
        }
        sandbox.drop_program(handle);
    }
    let stats = wait_for(&sandbox, |stats| stats.waiting == 0);
    assert!(stats.hits > 2 && stats.misses >= 4, "{stats:?}");
}

#[test]
fn as_many_wait_as_are_allowed_and_the_oldest_program_makes_room() {
    let sandbox = sandbox(PER_PROGRAM, Duration::from_secs(60));
    let old = prepare(&sandbox, ProgramKind::Script, ECHO);
    let new = prepare(&sandbox, ProgramKind::Script, "export default () => 1");
    for handle in [old, old] {
        run(&sandbox, handle, 64 * MIB);
    }
    wait_for(&sandbox, |stats| stats.waiting == PER_PROGRAM);
    for handle in [new, new] {
        run(&sandbox, handle, 64 * MIB);
    }
    let stats = wait_for(&sandbox, |stats| stats.evicted == PER_PROGRAM as u64 && stats.waiting == PER_PROGRAM);
    assert_eq!(stats.made, 2 * PER_PROGRAM as u64);
    // The old one is hot still, and takes nothing back.
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(sandbox.stats().warm, stats);
    assert!(run(&sandbox, new, 64 * MIB).was_warm);
}

#[test]
fn what_waited_too_long_is_dropped_with_the_program_that_nobody_runs() {
    let sandbox = sandbox(8, Duration::from_millis(700));
    let handle = prepare(&sandbox, ProgramKind::Script, ECHO);
    run(&sandbox, handle, 64 * MIB);
    run(&sandbox, handle, 64 * MIB);
    wait_for(&sandbox, |stats| stats.waiting == PER_PROGRAM);
    let stats = wait_for(&sandbox, |stats| stats.waiting == 0);
    assert!(stats.expired >= PER_PROGRAM as u64, "{stats:?}");
}

#[test]
fn a_command_that_runs_code_when_it_is_made_never_waits() {
    let sandbox = sandbox(8, Duration::from_secs(60));
    let start = r#"(module (memory (export "memory") 1) (func $early) (start $early) (func (export "_start")))"#;
    let handle = prepare(&sandbox, ProgramKind::Command, start);
    let fuel = run(&sandbox, handle, 64 * MIB).fuel;
    for _ in 0..5 {
        let outcome = run(&sandbox, handle, 64 * MIB);
        assert_eq!((outcome.was_warm, outcome.fuel, output(&outcome)), (false, fuel, "null"));
    }
    assert_eq!(sandbox.stats().warm.made, 0);
}

#[test]
fn a_run_with_less_memory_than_the_instance_has_ends_as_without_the_pool() {
    let sandbox = sandbox(8, Duration::from_secs(60));
    let large = r#"(module (memory (export "memory") 32) (func (export "_start")))"#;
    let handle = prepare(&sandbox, ProgramKind::Command, large);
    run(&sandbox, handle, 64 * MIB);
    run(&sandbox, handle, 64 * MIB);
    wait_for(&sandbox, |stats| stats.waiting == PER_PROGRAM);
    assert_eq!(run(&sandbox, handle, 2 * MIB - 1).status, Status::MemoryLimit);
    let at_the_limit = run(&sandbox, handle, 2 * MIB);
    assert_eq!((at_the_limit.status, at_the_limit.was_warm), (Status::Completed, true));
}

#[test]
fn there_are_never_more_instances_than_slots() {
    // Places are contended by more programs than there are, on several threads; a run that found no slot would end as trapped.
    let (threads, total) = (4, 5);
    let warm_limits = WarmLimits { per_program: 2, total, lifetime: Duration::from_millis(20) };
    let sandbox = sandbox_of(threads, (ACTIVE_MAX + total + threads) as u32, warm_limits);
    let handles: Vec<_> =
        (0..6).map(|number| prepare(&sandbox, ProgramKind::Script, &format!("export default () => {number}"))).collect();
    let (sender, receiver) = mpsc::channel();
    for round in 0..300 {
        for handle in &handles {
            let sender = sender.clone();
            let reply = Reply::new(move |answer| sender.send(answer).expect("somebody listens"));
            sandbox.run(*handle, request("1"), reply).expect("room in the queue");
        }
        for _ in &handles {
            let outcome = receiver.recv().expect("an answer").expect("the engine works");
            assert_eq!(outcome.status, Status::Completed, "round {round}: {:?}", outcome.error);
        }
        if round % 50 == 0 {
            std::thread::sleep(Duration::from_millis(600));
        }
    }
    assert!(sandbox.stats().warm.waiting <= total);
}
