//! A sandbox for tests, and runs that read as a sentence.
#![allow(dead_code, reason = "each test binary uses a part of it")]
use agent_engine::bench::block_on;
use agent_engine::compiler::compile;
use agent_engine::engine::PoolSize;
use agent_engine::limits::{RunLimits, RunRequest};
use agent_engine::outcome::{Prepared, Refusal, RunOutcome};
use agent_engine::pool::PoolLimits;
use agent_engine::program::ProgramKind;
use agent_engine::sandbox::{Sandbox, SandboxOptions};
use agent_engine::script::HeapCounts;
use agent_engine::script_compiler::Settings;
use agent_engine::warm::WarmLimits;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

pub mod component;
pub mod differential;
pub mod generate;

/// One for all tests of a binary: booting the script engine takes a second.
pub static SANDBOX: LazyLock<Sandbox> = LazyLock::new(|| {
    let options = SandboxOptions {
        script_module: std::fs::read(repository().join("sandbox-host/engine/script-module/quickjs.wasm"))
            .expect("it is in the repository"),
        prelude: std::fs::read_to_string(repository().join("sandbox-host/guest/prelude.js")).expect("the prelude"),
        script_image: None,
        pool_size: PoolSize { slots: 32, memory_bytes_max: 256 << 20 },
        pool_limits: PoolLimits { threads: 2, active_max: 8, queue_max: 64 },
        warm_limits: WarmLimits { per_program: 10, total: 16, lifetime: Duration::from_secs(60) },
    };
    // SAFETY: there is no stored image.
    unsafe { Sandbox::new(options) }.expect("a sandbox")
});

pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub fn limits() -> RunLimits {
    RunLimits {
        memory_bytes: 64 << 20,
        wall_ms: 5_000,
        fuel: 2_000_000_000,
        input_bytes: 1 << 20,
        output_bytes: 1 << 20,
        log_bytes: 64 << 10,
        artifact_bytes: 1 << 20,
        artifact_count: 8,
    }
}

pub fn request(input: &str) -> RunRequest {
    RunRequest { input: input.into(), seed: 7, start_time_ms: 946_684_800_000, limits: limits(), args: Vec::new() }
}

pub fn prepare(kind: ProgramKind, code: &[u8]) -> Result<Prepared, Refusal> {
    block_on(SANDBOX.kernel().prepare(kind, code.to_vec(), limits())).expect("the engine works")
}

pub fn script(source: &str) -> u32 {
    prepare(ProgramKind::Script, source.as_bytes()).expect("a valid script").handle
}

/// The same script, compiled.
pub fn compiled(handle: u32, settings: Settings) -> u32 {
    let kernel = SANDBOX.kernel();
    let input = kernel.compiler_input(handle, settings).expect("a script");
    let stored = compile(ProgramKind::Script, &input).expect("it compiles");
    // SAFETY: the line before made it.
    unsafe { kernel.load(ProgramKind::Script, &stored) }.expect("a stored form").expect("a valid program").handle
}

/// The modes that must not be told apart: interpreted, compiled, compiled without caches.
pub fn modes(source: &str) -> [(&'static str, u32); 3] {
    let interpreted = script(source);
    [
        ("interpreted", interpreted),
        ("compiled", compiled(interpreted, Settings::default())),
        ("compiled without cells", compiled(interpreted, Settings { has_cells: false })),
    ]
}

/// What a run tells of itself, apart from what it cost.
pub type Telling = (String, Vec<u8>, Vec<u8>, Option<HeapCounts>);

pub fn telling(handle: u32, request: RunRequest) -> Telling {
    let program = SANDBOX.kernel().program(handle).expect("a known program");
    let (outcome, counts) = block_on(SANDBOX.kernel().run_counted(&program, request)).expect("the engine works");
    (format!("{:?} {:?} {:?}", outcome.status, outcome.output, outcome.error), outcome.stdout, outcome.stderr, counts)
}

/// From the text format.
pub fn command(text: &str) -> u32 {
    prepare(ProgramKind::Command, &wat::parse_str(text).expect("valid text")).expect("a valid command").handle
}

pub fn run(handle: u32, request: RunRequest) -> RunOutcome {
    let program = SANDBOX.kernel().program(handle).expect("a known program");
    block_on(SANDBOX.kernel().run(&program, request)).expect("the engine works")
}

/// With the limits changed.
pub fn run_with(handle: u32, change: impl FnOnce(&mut RunLimits)) -> RunOutcome {
    let mut limits = limits();
    change(&mut limits);
    run(handle, RunRequest { limits, ..request("1") })
}

pub fn run_script(source: &str, input: &str) -> RunOutcome {
    run(script(source), request(input))
}

/// Output of a run that must complete.
pub fn output(outcome: &RunOutcome) -> &str {
    match &outcome.output {
        Some(output) => output,
        None => panic!("{:?}: {:?}, stderr {}", outcome.status, outcome.error, String::from_utf8_lossy(&outcome.stderr)),
    }
}

/// Message of a run that must not complete.
pub fn message(outcome: &RunOutcome) -> &str {
    outcome.error.as_ref().map_or("", |error| &error.message)
}
