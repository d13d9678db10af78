//! Measures what the engine itself costs, without Node: `cargo run --release --no-default-features --example measure`.
//! Prints nanoseconds from claim to outcome for a no-op script and a no-op command, and the process's memory over many runs.
#[path = "../tests/support/mod.rs"]
mod support;
use agent_engine::bench::bench;
use support::{SANDBOX, command, request, run, script};

fn main() {
    let noops = [
        ("no-op script", script("export default (input) => input")),
        ("no-op command", command(r#"(module (memory (export "memory") 1) (func (export "_start")))"#)),
    ];
    for (name, handle) in noops {
        let one = run(handle, request("1"));
        println!("{name}: fuel {}, start {} us, memory {}", one.fuel, one.start_micros, one.memory_bytes_peak);
        let program = SANDBOX.kernel().program(handle).expect("a known program");
        for (count, warm) in [(1_000, false), (20_000, false), (20_000, true)] {
            let measured = bench(SANDBOX.kernel(), &program, &request("1"), count, warm).expect("the engine works");
            let state = if warm { "pooled" } else { "loaded" };
            println!("  {count} {state} runs: {:?}; start {:?}", measured.total, measured.start);
        }
        println!("  resident after it: {} KiB", resident_kib());
    }
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}
