//! Runs scripts interpreted, compiled, and compiled without caches, and says where they differ and what they cost:
//! `cargo run --release --no-default-features --example compare -- [--input JSON] [--times N] [--costs] file.js …`. A file's input is
//! `file.json` beside it, if that is there. With `--times` the processor time of runs is counted, of both modes by turns; with `--costs`
//! nothing is compared, and that of compiling is.
#[path = "../tests/support/mod.rs"]
mod support;
use agent_engine::engine::compiler_engine;
use agent_engine::limits::{RunLimits, RunRequest};
use agent_engine::outcome::Refusal;
use agent_engine::program::ProgramKind;
use agent_engine::script_compiler::Settings;
use agent_engine::script_program::{CompilerInput, compile_side_module};
use agent_engine::snapshot::Snapshot;
use std::path::Path;
use support::{SANDBOX, compiled, limits, prepare, request, run, telling};

fn main() {
    let mut input = "1".to_owned();
    let mut times = 0;
    let mut differing = 0;
    let mut counts_costs = false;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--input" => input = arguments.next().expect("JSON behind --input"),
            "--times" => times = arguments.next().and_then(|count| count.parse().ok()).expect("a number behind --times"),
            "--costs" => counts_costs = true,
            path => {
                let beside = std::fs::read_to_string(Path::new(path).with_extension("json"));
                let input = beside.as_ref().unwrap_or(&input);
                if counts_costs {
                    costs(path, input);
                } else {
                    differing += usize::from(!compare(path, input, times));
                }
            }
        }
    }
    println!("{differing} differ");
    std::process::exit(i32::from(differing > 0));
}

fn longer_request(input: &str) -> RunRequest {
    let limits = RunLimits { wall_ms: 60_000, fuel: 1 << 40, memory_bytes: 256 << 20, input_bytes: 4 << 20, ..limits() };
    RunRequest { limits, ..request(input) }
}

fn prepared(path: &str) -> Option<(u32, usize)> {
    let source = std::fs::read(path).expect("a file");
    match prepare(ProgramKind::Script, &source) {
        Ok(prepared) => Some((prepared.handle, source.len())),
        Err(Refusal::InvalidProgram(why) | Refusal::Limit(why)) => {
            println!("{path}: refused: {why}");
            None
        }
    }
}

/// Runs of one mode before it is the other's turn.
const RUNS: u32 = 5;

fn compare(path: &str, input: &str, times: u32) -> bool {
    let Some((interpreted, _)) = prepared(path) else { return true };
    let request = || longer_request(input);
    let expected = telling(interpreted, request());
    let modes = [compiled(interpreted, Settings::default()), compiled(interpreted, Settings { has_cells: false })];
    let mut is_same = true;
    for (handle, mode) in modes.iter().zip(["compiled", "compiled without cells"]) {
        let told = telling(*handle, request());
        if told != expected {
            is_same = false;
            println!("{path}: {mode} differs\n  interpreted {}\n  {mode} {}", shown(&expected), shown(&told));
        }
    }
    if times > 0 {
        let mut spent = [0; 2];
        for _ in 0..times {
            for (handle, spent) in [interpreted, modes[0]].into_iter().zip(&mut spent) {
                let began = busy_ms();
                // So many that a tick is little.
                for _ in 0..RUNS {
                    run(handle, request());
                }
                *spent += busy_ms() - began;
            }
        }
        let [slow, fast] = spent.map(|ms| ms as f64 / f64::from(times * RUNS));
        let fuel = run(interpreted, request()).fuel as f64 / run(modes[0], request()).fuel as f64;
        println!(
            "{path}: {slow:.2} ms of the processor, compiled {fast:.2} ms: {:.2} times as fast; fuel {fuel:.2}",
            slow / fast
        );
    }
    is_same
}

/// Bytes, processor time of both compilers, fuel.
fn costs(path: &str, input: &str) {
    let Some((interpreted, source_bytes)) = prepared(path) else { return };
    let bytes = SANDBOX.kernel().compiler_input(interpreted, Settings::default()).expect("a script");
    let decoded = CompilerInput::decode(&bytes).expect("a compiler's input");
    let snapshot = Snapshot::decode(decoded.snapshot).expect("a snapshot");
    let began = busy_ms();
    let module = compile_side_module(&decoded, &snapshot).expect("it compiles");
    let generated = busy_ms();
    let code = compiler_engine().and_then(|engine| engine.precompile_module(&module.wasm)).expect("it compiles");
    let ended = busy_ms();
    if let Ok(directory) = std::env::var("KEEP_WASM") {
        let name = Path::new(path).with_extension("wasm");
        std::fs::write(Path::new(&directory).join(name.file_name().expect("a file")), &module.wasm).expect("it is written");
    }
    let fuel = |handle| run(handle, longer_request(input)).fuel;
    let (slow, fast) = (fuel(interpreted), fuel(compiled(interpreted, Settings::default())));
    println!(
        "{path}: source {source_bytes}, functions {} and {} interpreted, wasm {}, machine code {}, generated in {} ms, compiled in {} ms, fuel {slow} {fast} {:.3}",
        module.entries.len(),
        module.report.interpreted.len(),
        module.wasm.len(),
        code.len(),
        generated - began,
        ended - generated,
        slow as f64 / fast as f64
    );
}

/// Of all threads of the process, as Linux counts it: in ticks of 10 ms.
fn busy_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(") ").next().unwrap_or("").split(' ').skip(11).take(2);
    fields.filter_map(|field| field.parse::<u64>().ok()).sum::<u64>() * 10
}

fn shown(told: &support::Telling) -> String {
    let (what, stdout, stderr, counts) = told;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).chars().take(300).collect::<String>();
    format!("{} {:?} {:?} {counts:?}", what.chars().take(1500).collect::<String>(), text(stdout), text(stderr))
}
