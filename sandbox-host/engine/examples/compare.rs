//! Runs scripts interpreted, compiled, and compiled without caches, and says where they differ and what they cost:
//! `cargo run --release --no-default-features --example compare -- [--input JSON] [--times N] file.js …`.
#[path = "../tests/support/mod.rs"]
mod support;
use agent_engine::limits::{RunLimits, RunRequest};
use agent_engine::outcome::Refusal;
use agent_engine::program::ProgramKind;
use agent_engine::script_compiler::Settings;
use std::time::Instant;
use support::{compiled, limits, prepare, request, run, telling};

fn main() {
    let mut input = "1".to_owned();
    let mut times = 0;
    let mut differing = 0;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--input" => input = arguments.next().expect("JSON behind --input"),
            "--times" => times = arguments.next().and_then(|count| count.parse().ok()).expect("a number behind --times"),
            path => differing += usize::from(!compare(path, &input, times)),
        }
    }
    println!("{differing} differ");
    std::process::exit(i32::from(differing > 0));
}

fn compare(path: &str, input: &str, times: usize) -> bool {
    let source = std::fs::read(path).expect("a file");
    let interpreted = match prepare(ProgramKind::Script, &source) {
        Ok(prepared) => prepared.handle,
        Err(Refusal::InvalidProgram(why) | Refusal::Limit(why)) => {
            println!("{path}: refused: {why}");
            return true;
        }
    };
    let request = || RunRequest {
        limits: RunLimits { wall_ms: 60_000, fuel: 1 << 40, memory_bytes: 256 << 20, ..limits() },
        ..request(input)
    };
    let expected = telling(interpreted, request());
    let began = Instant::now();
    let modes = [compiled(interpreted, Settings::default()), compiled(interpreted, Settings { has_cells: false })];
    let compile_ms = began.elapsed().as_secs_f64() * 500.0;
    let mut is_same = true;
    for (handle, mode) in modes.iter().zip(["compiled", "compiled without cells"]) {
        let told = telling(*handle, request());
        if told != expected {
            is_same = false;
            println!("{path}: {mode} differs\n  interpreted {}\n  {mode} {}", shown(&expected), shown(&told));
        }
    }
    let median = |handle| {
        let mut micros: Vec<_> = (0..times.max(1)).map(|_| run(handle, request()).wall_micros).collect();
        micros.sort_unstable();
        micros[micros.len() / 2] as f64 / 1e3
    };
    if times > 0 {
        let (slow, fast) = (median(interpreted), median(modes[0]));
        let fuel = run(interpreted, request()).fuel as f64 / run(modes[0], request()).fuel as f64;
        println!(
            "{path}: {slow:.2} ms, compiled {fast:.2} ms, {:.2} times as fast, fuel {fuel:.2}; compiled in {compile_ms:.1} ms",
            slow / fast
        );
    }
    is_same
}

fn shown(told: &support::Telling) -> String {
    let (what, stdout, stderr, counts) = told;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).chars().take(300).collect::<String>();
    format!("{} {:?} {:?} {counts:?}", what.chars().take(1500).collect::<String>(), text(stdout), text(stderr))
}
