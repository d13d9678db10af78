//! One script in the modes that must not be told apart, and what tells them apart.
use super::SANDBOX;
use super::{Telling, limits, prepare, request, telling};
use agent_engine::engine::{compiler_engine, quick_compiler_engine};
use agent_engine::limits::{RunLimits, RunRequest};
use agent_engine::outcome::Refusal;
use agent_engine::program::ProgramKind;
use agent_engine::script_compiler::Settings;
use agent_engine::script_program::{CompilerInput, compile_with};
use std::fmt;
use std::sync::LazyLock;
use wasmtime::Engine;

#[derive(Debug)]
pub enum Verdict {
    Same,
    /// It met a limit, which it meets elsewhere in another mode.
    Limited(String),
    /// It is no program.
    Refused(String),
    Differs(Box<Difference>),
}

#[derive(Debug)]
pub struct Difference {
    pub mode: &'static str,
    expected: Telling,
    told: Telling,
}

impl Difference {
    /// Whether somebody else may find the same, with less around it: the outputs differ, or only what is on the heap.
    pub fn is_like(&self, other: &Self) -> bool {
        let is_heap = |difference: &Self| difference.expected.0 == difference.told.0;
        self.mode == other.mode && is_heap(self) == is_heap(other)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (expected, told) = (&self.expected, &self.told);
        let lines = |telling: &Telling| telling.0.split("\\n").map(str::to_owned).collect::<Vec<_>>();
        let (expected_lines, told_lines) = (lines(expected), lines(told));
        if let Some(at) = expected_lines.iter().zip(&told_lines).position(|(left, right)| left != right) {
            return write!(f, "{}, line {at}\n  expected {}\n  told     {}", self.mode, expected_lines[at], told_lines[at]);
        }
        if expected.0 != told.0 {
            return write!(f, "{}: {} lines, {} expected", self.mode, told_lines.len(), expected_lines.len());
        }
        write!(f, "{}: logs {}, heap {:?}, expected {:?}", self.mode, expected.1 == told.1, told.3, expected.3)
    }
}

/// Compiles quickly what runs slowly, as it is the translation to Wasm that is looked at, unless the environment asks for what hosts do.
static COMPILER: LazyLock<Engine> = LazyLock::new(|| {
    let is_optimised = std::env::var_os("SCRIPT_FUZZ_OPTIMISED").is_some();
    if is_optimised { compiler_engine() } else { quick_compiler_engine() }.expect("an engine")
});

const MODES: [(&str, Settings); 2] = [("compiled", Settings { has_cells: true }), ("uncached", Settings { has_cells: false })];

/// What the compiler may say of a function that stays interpreted; anything else is a hole.
const KNOWN_REASON: &str = "it is a generator or asynchronous";

pub fn verdict(source: &str) -> Verdict {
    let kernel = SANDBOX.kernel();
    let interpreted = match prepare(ProgramKind::Script, source.as_bytes()) {
        Ok(prepared) => prepared.handle,
        Err(Refusal::InvalidProgram(why)) => return Verdict::Refused(why),
        Err(Refusal::Limit(why)) => return Verdict::Limited(why),
    };
    let limited = || RunRequest {
        limits: RunLimits { wall_ms: 60_000, fuel: 1_000_000_000, memory_bytes: 128 << 20, output_bytes: 16 << 20, ..limits() },
        ..request("1")
    };
    let expected = telling(interpreted, limited());
    // How deep it was when the stack ended is the one thing that may differ.
    let is_deep = expected.0.contains("InternalError:stack overflow");
    let is_limited = |telling: &Telling| !(telling.0.starts_with("Completed") || telling.0.starts_with("Threw"));
    let mut verdict =
        if is_deep || is_limited(&expected) { Verdict::Limited(expected.0.chars().take(200).collect()) } else { Verdict::Same };
    for (mode, settings) in MODES {
        if !matches!(verdict, Verdict::Same) {
            break;
        }
        let input = kernel.compiler_input(interpreted, settings).expect("a script");
        let stored = compile_with(&COMPILER, &CompilerInput::decode(&input).expect("an input")).expect("it compiles");
        // SAFETY: the line before made it.
        let prepared = unsafe { kernel.load(ProgramKind::Script, &stored) }.expect("a stored form").expect("a valid program");
        let report = prepared.report.as_deref().unwrap_or_default();
        let told = if report.matches("\"reason\":").count() != report.matches(KNOWN_REASON).count() + 1
            || !report.contains("\"reason\":null")
        {
            (format!("Report {report}"), Vec::new(), Vec::new(), None)
        } else {
            telling(prepared.handle, limited())
        };
        kernel.drop_program(prepared.handle);
        // Quickly made code takes more of the native stack, and is not what hosts run.
        let is_native = told.0.starts_with("Trapped") && told.0.contains("a recursion went too deep");
        if is_native && std::env::var_os("SCRIPT_FUZZ_OPTIMISED").is_none() {
            verdict = Verdict::Limited(told.0);
        } else if !is_same(&expected, &told) {
            verdict = Verdict::Differs(Box::new(Difference { mode, expected: expected.clone(), told }));
        }
    }
    kernel.drop_program(interpreted);
    verdict
}

/// Of the system's blocks, which hold many of QuickJS's, some more or fewer may be in use: what was freed earlier leaves its place to other
/// things. Everything else is counted exactly.
const BLOCKS_APART: u64 = 3;

fn is_same(expected: &Telling, told: &Telling) -> bool {
    let (Some([blocks, counts @ ..]), Some([told_blocks, told_counts @ ..])) = (&expected.3, &told.3) else {
        return expected == told;
    };
    let texts = |telling: &Telling| (telling.0.clone(), telling.1.clone(), telling.2.clone());
    counts == told_counts && blocks.abs_diff(*told_blocks) <= BLOCKS_APART && texts(expected) == texts(told)
}

/// The source without the lines that the difference does not need; tries no more than `tries` times.
pub fn shrunk(source: &str, difference: &Difference, mut tries: usize) -> String {
    let mut lines: Vec<&str> = source.lines().collect();
    let mut size = lines.len() / 2;
    while size > 0 && tries > 0 {
        let (before, mut at) = (lines.len(), 0);
        while at < lines.len() && tries > 0 {
            tries -= 1;
            let end = (at + size).min(lines.len());
            let candidate = [&lines[..at], &lines[end..]].concat();
            match verdict(&candidate.join("\n")) {
                Verdict::Differs(found) if difference.is_like(&found) => lines = candidate,
                _ => at = end,
            }
        }
        if size > 1 || lines.len() == before {
            size /= 2;
        }
    }
    lines.join("\n") + "\n"
}
