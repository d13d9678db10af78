//! The same program, input, seed and limits give the same bytes and the same fuel; and nothing of a run reaches the next.
mod support;
use agent_engine::outcome::RunOutcome;
use agent_engine::reply::Reply;
use std::sync::mpsc;
use support::{SANDBOX, command, output, request, run, script};

const BUSY: &str = "
    export default async (input, { artifact, seed }) => {
        const m = new Map(), words = []
        for (let i = 0; i < 3000; i++) m.set(Math.random(), { i, text: 'k' + i })
        for (const [k, v] of m) if (v.i % 500 === 0) words.push(k.toFixed(12), v.text)
        await new Promise((resolve) => setTimeout(resolve, 5))
        artifact('words', words.join())
        console.log(Date.now(), performance.now())
        return { words, seed, nan: 0 / 0, sin: Math.sin(1e9), sorted: words.toSorted() }
    }";

fn essence(outcome: RunOutcome) -> (String, Vec<u8>, Vec<u8>, u64, u64) {
    let artifact = outcome.artifacts.first().map(|artifact| artifact.bytes.clone()).unwrap_or_default();
    (output(&outcome).to_owned(), outcome.stdout, artifact, outcome.fuel, outcome.memory_bytes_peak)
}

#[test]
fn a_run_repeats_cold_and_warm_on_any_thread() {
    let handle = script(BUSY);
    let first = essence(run(handle, request("1")));
    assert_eq!(essence(run(handle, request("1"))), first);
    assert_eq!(essence(run(script(BUSY), request("1"))), first, "the same source, deployed again");
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
        assert_eq!(essence(answer.expect("the engine works")), first);
    }
}

#[test]
fn the_next_guest_reads_zeros() {
    // Fills all it can reach; then the same memory must be found empty.
    let fill = command(
        r#"(module (memory (export "memory") 1)
            (func (export "_start")
                (drop (memory.grow (i32.const 200)))
                (memory.fill (i32.const 0) (i32.const 0xee) (i32.mul (memory.size) (i32.const 65536)))))"#,
    );
    let look = command(
        r#"(module (memory (export "memory") 1)
            (func (export "_start") (local $at i32)
                (drop (memory.grow (i32.const 200)))
                (loop $next
                    (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then (unreachable)))
                    (local.set $at (i32.add (local.get $at) (i32.const 8)))
                    (br_if $next (i32.lt_u (local.get $at) (i32.mul (memory.size) (i32.const 65536)))))))"#,
    );
    let canary = script(
        "let secret = 'canary' + 12345; export default (x) => { const all = []; for (let i = 0; i < 100; i++) all.push(new Uint8Array(100000).fill(0xee)); return all.length }",
    );
    let search = script(
        "export default () => { for (let i = 0; i < 100; i++) if (new Uint8Array(100000).includes(0xee)) return i; return 'clean' }",
    );
    for _ in 0..20 {
        assert_eq!(output(&run(fill, request("1"))), "null");
        assert_eq!(output(&run(look, request("1"))), "null");
        assert_eq!(output(&run(canary, request("1"))), "100");
        assert_eq!(output(&run(search, request("1"))), "\"clean\"");
    }
}

#[test]
fn a_long_guest_lets_short_ones_pass() {
    let (long, short) = (script("export default () => { for (;;); }"), script("export default (x) => x"));
    let (sender, receiver) = mpsc::channel();
    for number in 0..6 {
        let sender = sender.clone();
        let mut request = request("1");
        request.limits.wall_ms = 150;
        request.limits.fuel = 1 << 50;
        let reply = Reply::new(move |_| sender.send(format!("long {number}")).unwrap_or_default());
        SANDBOX.run(long, request, reply).expect("room in the queue");
    }
    let reply = Reply::new(move |_| sender.send("short".into()).unwrap_or_default());
    SANDBOX.run(short, request("1"), reply).expect("room in the queue");
    assert_eq!(receiver.recv().as_deref(), Ok("short"));
    drop(receiver);
}
