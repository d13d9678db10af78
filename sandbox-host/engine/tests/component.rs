//! Components: what they can do, what they get back, each of their limits just below and just above, and that they repeat. What real
//! toolchains make of source is run by test/sandbox-host/components.test.ts.
mod support;
use agent_engine::limits::{RunLimits, RunRequest};
use agent_engine::outcome::{Refusal, RunOutcome, Status};
use agent_engine::program::ProgramKind;
use agent_engine::reply::Reply;
use std::sync::mpsc;
use support::component::{
    EXIT, EXIT_WITH_CODE, Import, NOW, POLL, RANDOM_U64, STDERR, STDOUT, TIMER, TIMER_NOW, WALL, WRITE, WRITE_ZEROES, component,
    component_text,
};
use support::{SANDBOX, limits, message, output, prepare, request, run, run_with};

/// The input is the answer.
const ECHO: &str = "(call $give (i32.const 0) (local.get $at) (local.get $length))";
/// Nothing that the test looks at.
const ONE: &str = "(call $number (i64.const 1))";

fn refusal(text: &str) -> String {
    match prepare(ProgramKind::Component, &wat::parse_str(text).expect("valid text")) {
        Err(Refusal::InvalidProgram(message)) => message,
        other => panic!("expected a refusal, not {other:?}"),
    }
}

/// JSON that is `bytes` long: a number and white space.
fn padded(bytes: usize) -> String {
    format!("{:<bytes$}", 1)
}

#[test]
fn the_answer_is_the_output() {
    let echo = component(&[], ECHO);
    assert_eq!(output(&run(echo, request(r#"{"a": [1, "ä€😀"]}"#))), r#"{"a": [1, "ä€😀"]}"#);
    assert_eq!(output(&run(component(&[], ONE), request("[]"))), "1");
    let prepared = prepare(ProgramKind::Component, &wat::parse_str(component_text(&[], ECHO)).expect("valid text"));
    assert_eq!(prepared.expect("a valid component").memory_bytes, 65_536);
}

#[test]
fn an_error_and_what_is_not_json_are_thrown() {
    let failing = component(&[], "(call $give (i32.const 1) (local.get $at) (local.get $length))");
    let outcome = run(failing, request("\"no words\""));
    assert_eq!((outcome.status, message(&outcome), &outcome.output), (Status::Threw, "\"no words\"", &None));
    for not_json in ["", "[1, 2} ", "nul"] {
        let outcome = run(component(&[], ECHO), request(not_json));
        assert_eq!(outcome.status, Status::Threw);
        assert!(message(&outcome).starts_with("the answer is not JSON: "), "{}", message(&outcome));
    }
}

#[test]
fn a_trap_ends_the_run() {
    assert_eq!(run(component(&[], "(unreachable)"), request("1")).status, Status::Trapped);
    let outcome = run(component(&[], "(call $deep (i32.const 0))"), request("1"));
    assert_eq!((outcome.status, message(&outcome)), (Status::Trapped, "stack overflow: a recursion went too deep"));
    // Answers that are none: outside the memory, past its end, neither result nor error, not UTF-8.
    for body in [
        "(i32.const -4)",
        "(i32.const 65534)",
        "(call $give (i32.const 0) (i32.const -1) (i32.const 8))",
        "(call $give (i32.const 0) (i32.const 65535) (i32.const 2))",
        "(call $give (i32.const 2) (local.get $at) (local.get $length))",
        "(i32.store (i32.const 16) (i32.const -1)) (call $give (i32.const 0) (i32.const 16) (i32.const 4))",
    ] {
        let outcome = run(component(&[], body), request("1"));
        assert_eq!(outcome.status, Status::Trapped, "{body}: {}", message(&outcome));
        assert!(outcome.output.is_none() && !message(&outcome).is_empty());
    }
}

#[test]
fn fuel_is_exact() {
    let handle = component(&[RANDOM_U64], "(drop (call $random-u64)) (call $number (i64.const 1))");
    let used = run(handle, request("1")).fuel;
    let enough = run_with(handle, |limits| limits.fuel = used);
    let short = run_with(handle, |limits| limits.fuel = used - 1);
    assert_eq!((enough.status, enough.fuel), (Status::Completed, used));
    assert_eq!((short.status, short.fuel), (Status::OutOfFuel, used - 1));
}

#[test]
fn endless_loops_use_up_their_fuel() {
    let endless = [
        component(&[], "(loop $l (br $l)) (unreachable)"),
        component(&[NOW], "(loop $l (drop (call $now)) (br $l)) (unreachable)"),
    ];
    for (number, handle) in endless.into_iter().enumerate() {
        for _ in 0..2 {
            let outcome = run_with(handle, |limits| limits.fuel = 20_000_000);
            assert_eq!((outcome.status, outcome.fuel), (Status::OutOfFuel, 20_000_000), "{number}: {}", message(&outcome));
        }
    }
}

#[test]
fn a_loop_at_start_and_host_work_meet_the_deadline() {
    let memory = r#"(import "libc" "memory" (memory 1))"#;
    let spinning = format!("{memory} (func $spin (loop $l (br $l))) (start $spin)");
    let at_start = component_text(&[], ONE).replacen(memory, &spinning, 1);
    let spins = prepare(ProgramKind::Component, &wat::parse_str(at_start).expect("valid text")).expect("valid").handle;
    let writes = component(
        &[STDOUT, WRITE],
        "(local $out i32) (local.set $out (call $stdout))
        (loop $l (call $write (local.get $out) (i32.const 0) (i32.const 60000) (i32.const 0)) (br $l)) (unreachable)",
    );
    let zeroes = component(
        &[STDOUT, WRITE_ZEROES],
        "(local $out i32) (local.set $out (call $stdout))
        (loop $l (call $write-zeroes (local.get $out) (i64.const 65536) (i32.const 0)) (br $l)) (unreachable)",
    );
    for (number, handle) in [spins, writes, zeroes, component(&[], "(loop $l (br $l)) (unreachable)")].into_iter().enumerate() {
        let outcome = run_with(handle, |limits| (limits.wall_ms, limits.fuel) = (50, 1 << 50));
        assert_eq!(outcome.status, Status::Deadline, "{number}: {}", message(&outcome));
        assert!(outcome.wall_micros < 1_000_000, "{number} took {} us", outcome.wall_micros);
        let exhausted = run_with(handle, |limits| limits.fuel = 30_000_000);
        assert_eq!((exhausted.status, exhausted.fuel), (Status::OutOfFuel, 30_000_000), "{number}");
    }
}

#[test]
fn memory_is_bounded_to_the_page() {
    let handle = component(&[], &format!("(drop (memory.grow (i32.const 9))) {ONE}"));
    let enough = run_with(handle, |limits| limits.memory_bytes = 10 * 65_536);
    let short = run_with(handle, |limits| limits.memory_bytes = 10 * 65_536 - 1);
    assert_eq!((enough.status, enough.memory_bytes_peak), (Status::Completed, 10 * 65_536));
    assert_eq!((short.status, short.memory_bytes_peak), (Status::MemoryLimit, 65_536));
    assert_eq!(message(&short), "wanted 655360 bytes of memory, allowed are 655359");
    assert_eq!(run_with(handle, |limits| limits.memory_bytes = 65_535).status, Status::MemoryLimit);
}

#[test]
fn the_answer_is_bounded() {
    let echo = component(&[], ECHO);
    let bounded = |bytes| {
        let limits = RunLimits { output_bytes: 1_000, ..limits() };
        run(echo, RunRequest { limits, ..request(&padded(bytes)) })
    };
    assert_eq!(output(&bounded(1_000)).len(), 1_000);
    let long = bounded(1_001);
    assert_eq!((long.status, message(&long)), (Status::OutputLimit, "output of at least 1001 bytes, allowed are 1000"));
}

/// Wasmtime ends such a call with an error that has no type: this notices when its words change, which `component::too_much` reads.
#[test]
fn what_one_call_hands_over_is_bounded() {
    let handing = |bytes: u32| {
        let pages = bytes / 65_536 + 1;
        component(
            &[],
            &format!("(drop (memory.grow (i32.const {pages}))) (call $give (i32.const 1) (i32.const 16) (i32.const {bytes}))"),
        )
    };
    // Twice the allowed output; the three words that say where the text is count, too.
    let whole = run(handing((2 << 20) - 64), request("1"));
    assert_eq!((whole.status, message(&whole).len()), (Status::Threw, (2 << 20) - 64));
    let long = run(handing((2 << 20) + 1), request("1"));
    assert_eq!((long.status, message(&long)), (Status::OutputLimit, "more than 2097152 bytes were handed to the host at once"));
}

#[test]
fn handles_are_bounded() {
    // As many timers as the input has bytes.
    let timers = component(
        &[TIMER],
        "(loop $l (drop (call $timer (i64.const 1))) (br_if $l (local.tee $length (i32.sub (local.get $length) (i32.const 1)))))
        (call $number (i64.const 1))",
    );
    assert_eq!(output(&run(timers, request(&padded(1_024)))), "1");
    let many = run(timers, request(&padded(1_025)));
    assert_eq!((many.status, message(&many)), (Status::Trapped, "cannot allocate another handle: store handle limit exceeded"));
}

#[test]
fn logs_are_cut_off() {
    for (stream, at) in [(STDOUT, 0), (STDERR, 1)] {
        let name = stream.name;
        let imports = if at == 0 { vec![STDOUT, WRITE] } else { vec![STDOUT, STDERR, WRITE] };
        let handle =
            component(&imports, &format!("(call $write (call ${name}) (local.get $at) (local.get $length) (i32.const 0)) {ONE}"));
        let bounded = |bytes| {
            let limits = RunLimits { log_bytes: 1_000, ..limits() };
            run(handle, RunRequest { limits, ..request(&padded(bytes)) })
        };
        let log = |outcome: &RunOutcome| [&outcome.stdout, &outcome.stderr].map(Vec::len);
        let (whole, cut) = (bounded(1_000), bounded(1_001));
        assert_eq!((log(&whole)[at], log(&whole)[1 - at], whole.logs_truncated), (1_000, 0, false), "{name}");
        assert_eq!((log(&cut)[at], cut.logs_truncated, cut.status), (1_000, true, Status::Completed), "{name}");
        assert_eq!(whole.stdout.iter().chain(&whole.stderr).next(), Some(&b'1'));
    }
}

#[test]
fn too_many_zeroes_at_once_are_refused() {
    let zeroes = |count: u32| {
        let body = format!("(call $write-zeroes (call $stdout) (i64.const {count}) (i32.const 0)) {ONE}");
        run(component(&[STDOUT, WRITE_ZEROES], &body), request("1"))
    };
    assert_eq!(zeroes(65_536).stdout, vec![0; 64 << 10]);
    let many = zeroes(65_537);
    assert_eq!((many.status, message(&many)), (Status::Trapped, "write-zeroes of 65537 bytes, permitted were 65536"));
}

#[test]
fn foreign_imports_are_refused_by_name() {
    for (import, named) in [
        (r#"(import "host:secrets/vault@1.0.0" (instance (export "open" (func))))"#, "host:secrets/vault@1.0.0"),
        (r#"(import "boom" (func))"#, "boom"),
        (r#"(import "wasi:keyvalue/store@0.2.0" (instance))"#, "wasi:keyvalue/store@0.2.0"),
        (r#"(import "wasi:io/streams@0.3.0" (instance))"#, "wasi:io/streams@0.3.0"),
        (r#"(import "wasi:io/streams" (instance))"#, "wasi:io/streams"),
        (r#"(import "other:io/streams@0.2.0" (instance))"#, "other:io/streams@0.2.0"),
        (r#"(import "wasi:clocks/timezone@0.2.3" (instance))"#, "wasi:clocks/timezone@0.2.3"),
    ] {
        let text = component_text(&[], ECHO).replacen("(component", &format!("(component {import}"), 1);
        let expected = format!("the component imports {named}; allowed are interfaces of WASI 0.2 only");
        assert_eq!(refusal(&text), expected);
    }
    let seven: String = (1..=7).map(|n| format!(r#"(import "host:a{n}/b" (instance))"#)).collect();
    let text = component_text(&[], ECHO).replacen("(component", &format!("(component {seven}"), 1);
    assert!(refusal(&text).contains("host:a5/b and 2 more;"), "{}", refusal(&text));
}

/// Whatever their types, so that every toolchain's version of WASI 0.2 fits.
#[test]
fn files_and_the_network_can_be_imported_but_not_used() {
    for (from, called) in [
        ("wasi:filesystem/types@0.2.3", "filesystem-error-code"),
        ("wasi:filesystem/preopens@0.2.3", "open-at"),
        ("wasi:sockets/instance-network@0.2.0", "instance-network"),
        ("wasi:sockets/tcp-create-socket@0.2.9", "create-tcp-socket"),
        ("wasi:http/outgoing-handler@0.2.3", "handle"),
        ("wasi:cli/terminal-output@0.2.3", "made-up"),
    ] {
        let text =
            component_text(&[], &format!(r#"(if (i32.eqz (i32.load8_u offset=1 (i32.const 0))) (then (call $it))) {ONE}"#))
                .replacen("(component", &format!(r#"(component (import "{from}" (instance $it (export "{called}" (func))))"#), 1)
                .replacen(
                    "(core instance $wasi",
                    &format!(
                        r#"(core func $it (canon lower (func $it "{called}"))) (core instance $wasi (export "it" (func $it))"#
                    ),
                    1,
                )
                .replacen(r#"(import "libc""#, r#"(import "wasi" "it" (func $it)) (import "libc""#, 1);
        let handle =
            prepare(ProgramKind::Component, &wat::parse_str(&text).expect("valid text")).expect("a valid component").handle;
        let outcome = run(handle, request("1"));
        let expected = format!("{from}#{called} is not there for agents: they have no files and no network");
        assert_eq!((outcome.status, message(&outcome)), (Status::Trapped, expected.as_str()));
    }
}

#[test]
fn only_components_of_our_world_are_taken() {
    let wanted = "run: func(input: string) -> result<string, string>";
    assert_eq!(
        refusal("(component)"),
        format!("the component does not export {wanted}, as the world agent-bounty:agent/agent does")
    );
    let other = r#"(component (core module $m (func (export "run"))) (core instance $i (instantiate $m))
        (func (export "run") (canon lift (core func $i "run"))))"#;
    assert!(refusal(other).starts_with(&format!("the export run is not {wanted}: ")), "{}", refusal(other));
    assert!(refusal("(module)").contains("this is a core module; deploy a WASI preview 1 program as a command"));
    let as_command = prepare(ProgramKind::Command, &wat::parse_str("(component)").expect("valid text"));
    assert!(matches!(as_command, Err(Refusal::InvalidProgram(why)) if why.contains("this is a component")));
    for bytes in [&b"#!/bin/sh"[..], b"\0asm\x0d\0\x01\0\xff", b"\0asm"] {
        assert!(matches!(prepare(ProgramKind::Component, bytes), Err(Refusal::InvalidProgram(_))), "{bytes:?}");
    }
    let two_memories = component_text(&[], ECHO).replacen(
        "(core module $main",
        "(core module $more (memory 1)) (core instance (instantiate $more)) (core module $main",
        1,
    );
    assert!(refusal(&two_memories).contains("memories"), "{}", refusal(&two_memories));
    let nested =
        |count| component_text(&[], ECHO).replacen("(component", &format!("(component {}", "(core module)".repeat(count)), 1);
    // Two of its own.
    assert!(prepare(ProgramKind::Component, &wat::parse_str(nested(62)).expect("valid text")).is_ok());
    assert_eq!(refusal(&nested(63)), "the program has 65 modules and components inside, allowed are 64");
}

/// The outer one instantiates `count` times; an inner one, twice.
#[test]
fn copies_of_components_are_bounded() {
    let copied = |count: usize| {
        let inner = "(component $inner (component $tiny) (instance (instantiate $tiny)) (instance (instantiate $tiny)))";
        let outer = format!("(component {inner} {}", "(instance (instantiate $inner))".repeat(count));
        component_text(&[], ECHO).replacen("(component", &outer, 1)
    };
    assert!(prepare(ProgramKind::Component, &wat::parse_str(copied(128)).expect("valid text")).is_ok());
    assert_eq!(refusal(&copied(129)), "the components inside could be copied out 258 times or more, allowed are 256");
}

#[test]
fn an_exit_is_no_answer() {
    let exiting = |status: u32| run(component(&[EXIT], &format!("(call $exit (i32.const {status})) {ONE}")), request("1"));
    let coded =
        |code: u32| run(component(&[EXIT_WITH_CODE], &format!("(call $exit-with-code (i32.const {code})) {ONE}")), request("1"));
    let told =
        |outcome: RunOutcome| (outcome.status, message(&outcome).to_owned(), outcome.error.and_then(|error| error.exit_code));
    let early = (Status::Threw, "exited with code 0 before run returned".to_owned(), None);
    assert_eq!((told(exiting(0)), told(coded(0))), (early.clone(), early));
    assert_eq!(told(exiting(1)), (Status::Threw, "exited with code 1".into(), Some(1)));
    assert_eq!(told(coded(42)), (Status::Threw, "exited with code 42".into(), Some(42)));
}

#[test]
fn time_is_virtual() {
    let elapsed = component(&[NOW], "(drop (call $now)) (call $number (call $now))");
    assert_eq!(output(&run(elapsed, request("1"))), "1000");
    let seconds = component(&[WALL], "(call $wall (i32.const 128)) (call $number (i64.load (i32.const 128)))");
    assert_eq!(output(&run(seconds, request("1"))), "946684800");
    assert_eq!(output(&run(seconds, RunRequest { start_time_ms: 5_999, ..request("1") })), "5");
    let nanos = component(&[WALL], "(call $wall (i32.const 128)) (call $number (i64.load32_u (i32.const 136)))");
    assert_eq!(output(&run(nanos, RunRequest { start_time_ms: 5_999, ..request("1") })), "999000000");
}

#[test]
fn waiting_costs_no_time() {
    // An hour and a second: the second is ready first, and then alone.
    let waits = component(
        &[TIMER, TIMER_NOW, POLL],
        "(i32.store (i32.const 128) (call $timer (i64.const 3600000000000)))
        (i32.store (i32.const 132) (call $timer (i64.const 1000000000)))
        (call $poll (i32.const 128) (i32.const 2) (i32.const 136))
        (if (i32.ne (i32.load (i32.const 140)) (i32.const 1)) (then (unreachable)))
        (if (i32.ne (i32.load (i32.load (i32.const 136))) (i32.const 1)) (then (unreachable)))
        (call $poll (i32.const 128) (i32.const 1) (i32.const 136))
        (call $number (i64.div_u (call $now) (i64.const 1000000000)))",
    );
    let outcome = run(waits, request("1"));
    assert_eq!(output(&outcome), "3600");
    assert!(outcome.wall_micros < 1_000_000);
    let nothing = run(
        component(&[TIMER, POLL], &format!("(call $poll (i32.const 128) (i32.const 0) (i32.const 136)) {ONE}")),
        request("1"),
    );
    assert_eq!((nothing.status, message(&nothing)), (Status::Trapped, "wasi:io/poll#poll of an empty list"));
}

#[test]
fn randomness_is_the_seed() {
    let random = component(&[RANDOM_U64], "(drop (call $random-u64)) (call $number (call $random-u64))");
    let seeded = |seed| output(&run(random, RunRequest { seed, ..request("1") })).to_owned();
    assert_eq!(seeded(7), seeded(7));
    assert_ne!(seeded(7), seeded(8));
}

#[test]
fn a_run_repeats_cold_and_warm_on_any_thread() {
    // Grows with the random number, writes it, and gives the time.
    let imports = || -> Vec<Import> { vec![STDOUT, WRITE, RANDOM_U64, NOW] };
    let body = "(i64.store (i32.const 128) (call $random-u64))
        (call $write (call $stdout) (i32.const 128) (i32.const 8) (i32.const 0))
        (drop (memory.grow (i32.and (i32.load (i32.const 128)) (i32.const 63))))
        (call $number (i64.add (call $now) (i64.load (i32.const 128))))";
    let essence =
        |outcome: &RunOutcome| (output(outcome).to_owned(), outcome.stdout.clone(), outcome.fuel, outcome.memory_bytes_peak);
    let handle = component(&imports(), body);
    let first = essence(&run(handle, request("1")));
    assert_eq!(essence(&run(handle, request("1"))), first);
    assert_eq!(essence(&run(component(&imports(), body), request("1"))), first, "the same component, deployed again");
    let (sender, receiver) = mpsc::channel();
    for _ in 0..40 {
        let sender = sender.clone();
        let reply = Reply::new(move |answer| sender.send(answer).expect("somebody listens"));
        SANDBOX.run(handle, request("1"), reply).expect("room in the queue");
    }
    drop(sender);
    let answers: Vec<_> = receiver.iter().collect();
    assert_eq!(answers.len(), 40);
    for answer in answers {
        assert_eq!(essence(&answer.expect("the engine works")), first);
    }
}

#[test]
fn the_next_guest_reads_zeros() {
    let fill = component(
        &[],
        &format!("(drop (memory.grow (i32.const 200))) (memory.fill (i32.const 0) (i32.const 0xee) (i32.const 13000000)) {ONE}"),
    );
    // Past the input, which lies at the bottom of the heap.
    let look = component(
        &[],
        "(drop (memory.grow (i32.const 200))) (local.set $at (i32.const 2048))
        (loop $next
            (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then (unreachable)))
            (local.set $at (i32.add (local.get $at) (i32.const 8)))
            (br_if $next (i32.lt_u (local.get $at) (i32.const 13000000))))
        (call $number (i64.const 0))",
    );
    for _ in 0..20 {
        assert_eq!(output(&run(fill, request("1"))), "1");
        assert_eq!(output(&run(look, request("1"))), "0");
    }
}
