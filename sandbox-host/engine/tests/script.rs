//! What a script agent sees, and what it gets back.
mod support;
use agent_engine::outcome::{Refusal, Status};
use agent_engine::program::ProgramKind;
use support::{message, output, prepare, request, run, run_script, script};

fn refusal(source: &str) -> String {
    match prepare(ProgramKind::Script, source.as_bytes()) {
        Err(Refusal::InvalidProgram(message)) => message,
        other => panic!("expected a refusal, not {other:?}"),
    }
}

/// Output of an expression in an agent's body.
fn value(expression: &str) -> String {
    let outcome = run_script(&format!("export default async (input, context) => {{ return {expression} }}"), "1");
    output(&outcome).to_owned()
}

#[test]
fn a_script_answers_with_json() {
    let outcome = run_script("export default (input) => ({ sum: input.a + input.b, text: 'é☃😀' })", r#"{"a":1,"b":2}"#);
    assert_eq!(output(&outcome), r#"{"sum":3,"text":"é☃😀"}"#);
}

#[test]
fn undefined_is_null() {
    assert_eq!(output(&run_script("export default () => {}", "1")), "null");
    assert_eq!(output(&run_script("export default async () => {}", "1")), "null");
}

#[test]
fn the_input_arrives_whole() {
    let text = "snow ☃ ".repeat(20_000);
    let outcome = run_script("export default (input) => input.length", &format!("{text:?}"));
    assert_eq!(output(&outcome), (text.chars().count()).to_string());
}

#[test]
fn promises_and_timers_run_in_virtual_time() {
    let source = "
        const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
        export default async () => {
            const began = Date.now(), order = []
            queueMicrotask(() => order.push('micro'))
            setTimeout(() => order.push('late'), 3_600_000)
            const every = setInterval(() => { order.push('tick'); if (order.length > 3) clearInterval(every) }, 10)
            await Promise.all([wait(50), wait(3_600_001)])
            return { order, passed: Date.now() - began, now: new Date(began).toISOString() }
        }";
    let outcome = run_script(source, "1");
    assert_eq!(
        output(&outcome),
        r#"{"order":["micro","tick","tick","tick","late"],"passed":3600001,"now":"2000-01-01T00:00:00.000Z"}"#
    );
    assert!(outcome.wall_micros < 1_000_000, "nobody waits for virtual time");
}

#[test]
fn a_busy_wait_ends() {
    let source =
        "export default () => { const began = Date.now(); while (Date.now() - began < 5); return performance.now() >= 5 }";
    assert_eq!(output(&run_script(source, "1")), "true");
}

#[test]
fn randomness_comes_from_the_seed() {
    let handle = script(
        "export default (i, c) => [c.seed, Math.random(), crypto.getRandomValues(new Uint32Array(2)), crypto.randomUUID()]",
    );
    let with_seed = |seed| output(&run(handle, agent_engine::limits::RunRequest { seed, ..request("1") })).to_owned();
    assert_eq!(with_seed(5), with_seed(5));
    assert_ne!(with_seed(5), with_seed(6));
    assert!(with_seed((1 << 53) - 1).starts_with("[9007199254740991,0."));
}

#[test]
fn a_module_is_evaluated_at_seed_zero() {
    let handle = script("const r = Math.random(); const t = Date.now(); export default (i, c) => [r, t, Math.random() !== r]");
    let with_seed = |seed| output(&run(handle, agent_engine::limits::RunRequest { seed, ..request("1") })).to_owned();
    assert_eq!(with_seed(5), with_seed(6));
    assert!(with_seed(5).ends_with(",946684800000,true]"));
}

#[test]
fn console_and_artifacts_come_back() {
    let source = r#"export default (input, { artifact }) => {
        console.log('a', 1, [1, 'x', { y: null }], new Map([[1, 2]])); console.error(new Error('oh'))
        artifact('report/a.txt', 'hällo'); artifact('b.bin', new Uint8Array([1, 2, 3]).subarray(1)); artifact('b.bin', new Uint8Array([9]).buffer)
    }"#;
    let outcome = run_script(source, "1");
    assert_eq!(output(&outcome), "null");
    assert_eq!(String::from_utf8_lossy(&outcome.stdout), "a 1 [1, \"x\", { y: null }] Map {1 => 2}\n");
    assert!(outcome.stderr.starts_with(b"Error: oh"));
    let artifacts: Vec<_> = outcome.artifacts.iter().map(|artifact| (artifact.name.as_str(), &artifact.bytes[..])).collect();
    assert_eq!(artifacts, [("report/a.txt", "hällo".as_bytes()), ("b.bin", &[9][..])]);
}

#[test]
fn an_artifact_cannot_leave_its_folder() {
    for name in ["", "/a", "../a", "a/../b", "a//b", "a\\\\b", "a\\n"] {
        let outcome = run_script(&format!("export default (i, c) => c.artifact('{name}', 'x')"), "1");
        assert_eq!(outcome.status, Status::Threw, "{name}");
        assert!(message(&outcome).contains("artifact name"), "{name}: {}", message(&outcome));
    }
}

#[test]
fn text_is_encoded_and_decoded() {
    assert_eq!(value("new TextDecoder().decode(new TextEncoder().encode('aé☃😀'))"), r#""aé☃😀""#);
    assert_eq!(
        value("[...new TextEncoder().encode('é☃😀\\ud800')].join()"),
        r#""195,169,226,152,131,240,159,152,128,239,191,189""#
    );
    assert_eq!(value("new TextDecoder().decode(new Uint8Array([0xc0, 0x80, 0xe2, 0x98, 0x41]))"), r#""���A""#);
    assert_eq!(value("atob(btoa('hi'))"), r#""hi""#);
    assert_eq!(value("structuredClone({ a: [new Date(0), new Map([[1, 2]]).size] })"), r#"{"a":["1970-01-01T00:00:00.000Z",1]}"#);
}

#[test]
fn what_is_thrown_is_told() {
    let outcome = run_script("export default () => { throw new RangeError('too far') }", "1");
    assert_eq!(outcome.status, Status::Threw);
    let error = outcome.error.expect("an error");
    assert_eq!((error.name.as_deref(), error.message.as_str()), (Some("RangeError"), "too far"));
    assert!(error.stack.expect("a stack").contains("agent.js:1"));
    assert_eq!(message(&run_script("export default async () => { throw 'text' }", "1")), "thrown: \"text\"");
    assert_eq!(
        message(&run_script(
            "export default () => { setTimeout(() => { throw new Error('late') }); return new Promise(() => {}) }",
            "1"
        )),
        "late"
    );
}

#[test]
fn a_result_that_is_no_json_is_told() {
    assert!(message(&run_script("export default () => 1n", "1")).starts_with("the output cannot be written as JSON: "));
    assert!(message(&run_script("export default () => { const a = []; a.push(a); return a }", "1")).contains("JSON"));
}

#[test]
fn a_promise_that_never_settles_is_told() {
    let outcome = run_script("export default () => new Promise(() => {})", "1");
    assert_eq!(
        (outcome.status, message(&outcome)),
        (Status::Threw, "the agent returned a promise that can never settle: no job and no timer is left")
    );
}

#[test]
fn a_rejection_that_nobody_handles_is_logged() {
    let outcome = run_script("export default async () => { Promise.reject(new Error('lost')); await null; return 1 }", "1");
    assert_eq!(output(&outcome), "1");
    assert!(String::from_utf8_lossy(&outcome.stderr).contains("lost"), "{:?}", String::from_utf8_lossy(&outcome.stderr));
    let handled = run_script("export default async () => { const p = Promise.reject(1); p.catch(() => {}); return 1 }", "1");
    assert_eq!(handled.stderr, b"");
}

#[test]
fn a_bad_module_is_refused_with_the_reason() {
    assert!(refusal("export default (x) => {\n  let y = ;\n}").contains("agent.js:2:"));
    assert!(refusal("import a from 'left-pad'; export default () => a").contains("'left-pad': nothing can be imported"));
    assert!(refusal("export const a = 1").contains("default export"));
    assert!(refusal("export default 5").contains("number"));
    assert!(refusal("await new Promise(() => {}); export default () => 1").contains("never settle"));
    assert!(refusal("throw new Error('at start')").contains("at start"));
}

#[test]
fn top_level_await_that_settles_is_fine() {
    let source = "const x = await new Promise((resolve) => setTimeout(() => resolve(4), 10)); export default () => x";
    assert_eq!(output(&run_script(source, "1")), "4");
}

#[test]
fn a_dynamic_import_is_refused_by_name() {
    assert!(message(&run_script("export default () => import('fs')", "1")).contains("fs"));
}

#[test]
fn a_recursion_ends_in_an_error_that_can_be_caught() {
    let recursions = [
        "const f = () => f() + 1; f()",
        "const f = (a) => [1].map(() => f(a)); f()",
        "let a = []; for (let i = 0; i < 100000; i++) a = [a]; JSON.stringify(a)",
        "new Proxy({}, { get(t, k, r) { return r[k] } }).x",
        "const o = { get x() { return this.x } }; o.x",
        "const o = { toString() { return `${this}` } }; String(o)",
        "class A { constructor() { new A() } } new A()",
        "const f = (...a) => f.apply(null, a); f(1,2,3)",
        "[1,2,3].sort(function f() { return [3,2,1].sort(f) })",
        "'x'.replace(/x/, function f() { return 'x'.replace(/x/, f) })",
        "/(x+x+)+y/.test('x'.repeat(30) + '(((')",
    ];
    for recursion in recursions {
        let source =
            format!("export default () => {{ try {{ {recursion} }} catch (error) {{ return error.name }} return 'ended' }}");
        let outcome = run_script(&source, "1");
        assert!(
            matches!(outcome.status, Status::Completed | Status::OutOfFuel),
            "{recursion}: {:?} {}",
            outcome.status,
            message(&outcome)
        );
    }
}

/// QuickJS counts its own stack, before the native one ends.
#[test]
fn a_text_that_nests_too_deep_is_an_error_that_can_be_caught() {
    for parse in ["JSON.parse('['.repeat(1e6))", "eval('('.repeat(1e6))"] {
        let outcome = run_script(&format!("export default () => {parse}"), "1");
        assert_eq!((outcome.status, message(&outcome)), (Status::Threw, "stack overflow"), "{parse}");
        let caught = run_script(&format!("export default () => {{ try {{ {parse} }} catch {{ return 'caught' }} }}"), "1");
        assert_eq!(output(&caught), "\"caught\"", "{parse}");
    }
    assert_eq!(output(&run_script("export default () => JSON.parse('['.repeat(5000) + ']'.repeat(5000)).length", "1")), "1");
}

#[test]
fn what_a_run_changes_is_gone_in_the_next() {
    let handle = script(
        "let n = 0; export default (input) => { Array.prototype.map = null; globalThis.leak = input; return [++n, typeof leak2] }",
    );
    for _ in 0..3 {
        assert_eq!(output(&run(handle, request("1"))), r#"[1,"undefined"]"#);
    }
    let other = script("export default () => [typeof globalThis.leak, typeof Array.prototype.map]");
    assert_eq!(output(&run(other, request("1"))), r#"["undefined","function"]"#);
}

#[test]
fn a_guest_that_ruins_the_built_ins_ruins_only_its_own_run() {
    let ruin = "
        JSON.stringify = () => 'not json'; JSON.parse = () => 'forged'; String.prototype.toString = null
        Promise.prototype.then = null; Object.prototype.toJSON = undefined; Array.prototype.push = null; Map.prototype.get = null
        Reflect.apply = () => 1; Function.prototype.call = null";
    let outcome = run_script(&format!("export default (input) => {{ {ruin}; return [input] }}"), "5");
    assert_eq!(output(&outcome), "[5]");
    let thenable = run_script("export default () => ({ get then() { throw new Error('no') } })", "1");
    assert_eq!((thenable.status, message(&thenable)), (Status::Threw, "no"));
}
