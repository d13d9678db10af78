//! Compiled scripts are told apart from interpreted ones by nothing but what they cost.
mod support;
use agent_engine::bench::{bench, block_on};
use agent_engine::limits::{RunLimits, RunRequest};
use agent_engine::outcome::Status;
use agent_engine::program::ProgramKind;
use agent_engine::script_compiler::Settings;
use support::differential::{Verdict, verdict};
use support::generate::programs;
use support::{SANDBOX, compiled, limits, message, modes, output, repository, request, run, script, telling};

/// Runs the source in all modes and compares what they tell; returns the interpreted one's.
fn same(source: &str) -> String {
    let [(_, interpreted), others @ ..] = modes(source);
    let expected = telling(interpreted, request("1"));
    for (mode, handle) in others {
        assert_eq!(telling(handle, request("1")), expected, "{mode}: {source}");
    }
    expected.0
}

#[test]
fn arithmetic_is_the_interpreters() {
    let told = same(
        "const f = (a, b) => [a + b, a - b, a * b, a / b, a % b, a & b, a | b, a ^ b, a << b, a >> b, a >>> b, a < b, a <= b, a > b, a >= b, a == b,
             a === b, a != b, a !== b, -a, ~a, +b, !a, a | 0, a >>> 0, a % 7, a % 2147483647, 5 % b, a % 1.5]
         const unboxed = (x) => {
             let a = x * 1.5; a *= 2; let b = a | 0; b ^= a; const c = a >>> 0; a %= 3; let d = a; d++; d--; const e = d++; return [a, b, c, d, e, -a, ~a]
         }
         const values = [0, 1, -1, 2, 7, -7, -0, 0.5, -1.5, 31, 32, 33, 2147483647, -2147483648, 2147483648, 4294967295, 4294967296, -4294967297,
             9007199254740991, -9007199254740993, 2 ** 62, 2 ** 63, -(2 ** 63), 2 ** 64, 1e20, 1e300, NaN, Infinity, -Infinity, 'a', '12', '', null,
             undefined, true, false, [3], {}]
         const show = (x) => (Object.is(x, -0) ? '-0' : typeof x + String(x))
         export default () => {
             let out = ''
             for (const a of values) { out += unboxed(a).map(show).join() + '|'; for (const b of values) out += f(a, b).map(show).join() + ';' }
             return out
         }",
    );
    assert!(told.starts_with("Completed"), "{told}");
}

#[test]
fn loops_closures_and_calls_are_the_interpreters() {
    let told = same(
        "const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2))
         function sum(...numbers) { let total = 0; for (const n of numbers) total += n; return total }
         const counter = () => { let n = 0; return { up: () => ++n, get n() { return n } } }
         export default () => {
             const c = counter(); for (let i = 0; i < 10; i++) c.up()
             const fs = []; for (let i = 0; i < 3; i++) fs.push(() => i)
             let text = ''; for (let i = 0; i < 100; i++) text += i
             return [fib(15), sum(1, 2.5, 3), c.n, fs.map((f) => f()), text]
         }",
    );
    assert!(told.contains("[610,6.5,10,[0,1,2],"), "{told}");
}

#[test]
fn exceptions_have_the_authors_lines() {
    let told = same(
        "const thrower = (x) => {
             if (x > 2) throw new RangeError('too far: ' + x)
             return x.missing.property
         }
         export default () => {
             const told = []
             for (const x of [1, 3, undefined]) {
                 try { thrower(x) } catch (error) { told.push(error.name, error.message, error.stack) } finally { told.push('finally') }
             }
             told.push(notThere)
         }",
    );
    assert!(told.contains("notThere"), "{told}");
}

/// The interpreter's own suites of the mechanisms that have code of their own.
#[test]
fn what_is_captured_spread_or_computed_is_the_interpreters() {
    let told = same(
        "class A { #p = 1; constructor(x) { this.x = x } get p() { return this.#p } set p(v) { this.#p = v } static of(...all) { return new this(...all) } }
         class B extends A { constructor(x) { super(x); this.y = super.p } m() { return `${this.x}${this.y}` } }
         function mapped(a, b) { a = 5; const before = [...arguments]; b++; return [before, a, b] }
         const deep = ({ a: { b: [c, ...d] = [1] } = {}, ...rest }, e = c) => ({ c, d, rest, e })
         const late2 = () => late; let late = 3
         export default () => {
             const b = B.of(7); b.p++
             const keyed = { ['k' + 1]: 1, get g() { return this.k1 }, ...{ z: 0 } }
             keyed.k1 += 2; keyed.k1++; keyed['g']
             const sparse = [1, , 3]; sparse[5] = 6; sparse.length = 4
             const typed = new Uint8Array(2); typed[0] = 257; typed[9] = 1
             label: for (const x of [1, 2, 3]) { for (const y of 'ab') { if (x === 2) continue label; if (x === 3) break label } }
             const generated = [...(function* () { yield 1; yield* [2, 3] })()]
             return [b.m(), b.p, mapped(1, 2), deep({ a: { b: [1, 2, 3] }, q: 1 }), keyed, sparse, [...typed], generated, late2(), delete keyed.z, 'k1' in keyed, b instanceof A]
         }",
    );
    assert!(told.starts_with("Completed"), "{told}");
}

#[test]
fn caches_see_what_changes_shapes_and_prototypes() {
    let told = same(
        "class A { m() { return 'A.m' } }
         class B extends A {}
         const read = (o) => o.p, call = (o) => o.m(), write = (o, v) => { o.p = v }
         export default () => {
             const told = [], tell = (f) => { try { told.push(f()) } catch (error) { told.push(error.message) } }
             const a = new A(), b = new B(), plain = { p: 1 }
             for (let i = 0; i < 3; i++) { told.push(call(a), call(b), read(plain)); write(plain, i) }
             A.prototype.m = () => 'replaced'; told.push(call(a), call(b))
             B.prototype.m = () => 'B.m'; told.push(call(b)); delete B.prototype.m; told.push(call(b))
             a.m = () => 'own'; told.push(call(a)); delete a.m; told.push(call(a))
             Object.setPrototypeOf(b, { m: () => 'other' }); told.push(call(b))
             Object.defineProperty(plain, 'p', { get: () => 'getter', configurable: true }); told.push(read(plain)); tell(() => write(plain, 1))
             Object.defineProperty(plain, 'p', { value: 2, writable: false }); tell(() => write(plain, 3)); told.push(read(plain))
             const frozen = { p: 1 }; write(frozen, 2); Object.freeze(frozen); tell(() => write(frozen, 3)); told.push(read(frozen))
             for (const other of [new Proxy({ p: 'proxied' }, {}), [], 'text', 5, function () {}, Object.create({ p: 'inherited' })]) tell(() => read(other))
             tell(() => read(null)); tell(() => call({})); tell(() => call(new Proxy(new A(), { get: () => () => 'trap' })))
             return told
         }",
    );
    assert!(told.contains("replaced"), "{told}");
}

#[test]
fn programs_by_chance_are_the_interpreters() {
    let of = |name: &str, fallback: u64| std::env::var(name).ok().and_then(|told| told.parse().ok()).unwrap_or(fallback);
    let (scripts, first) = (of("SCRIPT_FUZZ_SCRIPTS", 12), of("SCRIPT_FUZZ_FIRST", 1));
    let mut same = 0;
    for first in (0..scripts).map(|script| first + 4 * script) {
        match verdict(&programs(first..first + 4)) {
            Verdict::Same => same += 1,
            Verdict::Limited(_) => {}
            Verdict::Refused(why) => panic!("seeds from {first} are no program: {why}"),
            Verdict::Differs(difference) => panic!("seeds from {first}: {difference}"),
        }
    }
    assert!(same * 2 > scripts, "most programs tell something: {same} of {scripts}");
}

/// What the fuzzer found once, as small as it got.
#[test]
fn found_programs_are_the_interpreters() {
    let directory = repository().join("test/fixtures/fuzz/scripts");
    for entry in std::fs::read_dir(directory).expect("the folder is kept") {
        let path = entry.expect("an entry").path();
        let source = std::fs::read_to_string(&path).expect("a script");
        let found = verdict(&source);
        assert!(matches!(found, Verdict::Same), "{}: {found:?}", path.display());
    }
}

#[test]
fn an_author_is_told_what_is_compiled_and_why_the_rest_is_not() {
    let long = "x += 1;".repeat(8000);
    let source = format!(
        "export default async () => 1
const plain = (x) => x + 1
  function* numbers() {{ yield 1 }}
function long(x) {{ {long} return x }}
class Thing {{ async wait() {{}} }}
export {{ plain, numbers, long, Thing }}
async function grö() {{}}"
    );
    let handle = compiled(script(&source), Settings::default());
    let stored = SANDBOX.kernel().stored(handle).expect("a stored form");
    // SAFETY: the line before gave it.
    let loaded = unsafe { SANDBOX.kernel().load(ProgramKind::Script, &stored) }.expect("a stored form").expect("a valid program");
    let report: serde_json::Value = serde_json::from_str(loaded.report.as_deref().expect("a report")).expect("JSON");
    let waits = "it is a generator or asynchronous";
    let listed: Vec<_> = report["interpreted"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|function| (function["line"].as_u64(), function["name"].as_str(), function["reason"].as_str()))
        .collect();
    assert_eq!((&report["reason"], &report["compiled"]), (&serde_json::Value::Null, &2.into()), "{report}");
    assert_eq!(report["interpretedCount"], listed.len());
    // What names a function later, as a variable or a class does, is nothing that its code tells.
    assert!(listed.contains(&(Some(1), Some(""), Some(waits))), "{listed:?}");
    assert!(listed.contains(&(Some(3), Some("numbers"), Some(waits))), "{listed:?}");
    assert!(listed.contains(&(Some(5), Some(""), Some(waits))), "{listed:?}");
    assert!(listed.contains(&(Some(7), Some("grö"), Some(waits))), "{listed:?}");
    assert_eq!(listed.len(), 5, "{listed:?}");
    let too_long = listed.iter().find(|(_, name, _)| *name == Some("long")).expect("it is listed");
    assert!(too_long.2.is_some_and(|reason| reason.ends_with("allowed are 20000")), "{too_long:?}");
}

#[test]
fn compiled_code_of_any_form_ends_on_fuel_and_on_time() {
    let straight = format!("const f = (x) => {{ {} return x }}; for (;;) n = f(n)", "x = x * 3 + n | 0;".repeat(2000));
    let forms = [
        "let i = 0; while (true) i = (i + n) % 1000",
        "const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2)); fib(70)",
        "for (;;) [3, 1, 2].sort((a, b) => a - b)",
        "const o = { get x() { return n } }; for (;;) { try { o.x.y.z } catch { n++ } finally { n-- } }",
        straight.as_str(),
    ];
    for form in forms {
        let handle = compiled(script(&format!("export default (n) => {{ {form} }}")), Settings::default());
        let limited = |limits: RunLimits| run(handle, RunRequest { limits, ..request("1") });
        for fuel in [1_000_000, 1_234_567, 3_000_001] {
            let spent = limited(RunLimits { fuel, ..limits() });
            assert_eq!((spent.status, spent.fuel), (Status::OutOfFuel, fuel), "{form:.60}");
        }
        let late = limited(RunLimits { wall_ms: 50, fuel: u64::MAX >> 1, ..limits() });
        assert_eq!(late.status, Status::Deadline, "{form:.60}: {}", message(&late));
    }
}

/// On every host, and with an answer that says it.
#[test]
fn a_script_that_is_too_large_is_interpreted_as_a_whole() {
    let body = "n=-a+n;".repeat(500);
    let functions: String = (0..100).map(|index| format!("const f{index} = (a) => {{ let n = a; {body} return n }}\n")).collect();
    let source = format!("{functions}export default () => f7(0)");
    let interpreted = script(&source);
    let input = SANDBOX.kernel().compiler_input(interpreted, Settings::default()).expect("a script");
    let stored = agent_engine::compiler::compile(ProgramKind::Script, &input).expect("an answer");
    // SAFETY: the line before made it.
    let loaded = unsafe { SANDBOX.kernel().load(ProgramKind::Script, &stored) }.expect("a stored form").expect("a valid program");
    let report: serde_json::Value = serde_json::from_str(loaded.report.as_deref().expect("a report")).expect("JSON");
    assert!(report["reason"].as_str().is_some_and(|reason| reason.contains("bytes, allowed are 8388608")), "{report}");
    let [told, expected] = [loaded.handle, interpreted].map(|handle| run(handle, request("1")));
    assert_eq!((output(&told), told.fuel), ("0", expected.fuel));
}

#[test]
fn a_compiled_recursion_ends_in_an_error_that_can_be_caught() {
    // Each takes of the native stack, too, which must last as long as QuickJS's own.
    let all = |text: &str| (0..60).map(|n| text.replace('#', &n.to_string())).collect::<String>();
    let many_locals =
        format!("const f = (x) => {{ {} const y = f(x + 1); return y {} }}; f(0.5)", all("let v# = x + #;"), all(" + v#"));
    let many_operands = format!("const f = (x) => {} f(x + 1){}; f(0.5)", all("(x * #.5 + "), ")".repeat(60));
    let recursions = [
        "const f = (n) => f(n + 1) + 1; f(0)",
        "const f = (a) => [1].map(() => f(a)); f()",
        "class A { constructor() { this.a = new A() } } new A()",
        "const o = { toString() { return `${this}` } }; String(o)",
        "const f = (...a) => f.apply(null, a); f(1,2,3)",
        "const f = (x) => [2, 1].sort(() => f(x)); f(1)",
        "const f = (x) => 'a'.replace(/a/, () => f(x)); f(1)",
        "const f = (x) => new Proxy({}, { get: () => f(x) }).y; f(1)",
        "const f = (x) => JSON.stringify({ toJSON: () => f(x) }); f(1)",
        many_locals.as_str(),
        many_operands.as_str(),
    ];
    for recursion in recursions {
        let source = format!(
            "export default () => {{ const go = () => {{ {recursion} }}; try {{ go() }} catch (error) {{ return error.message }} }}"
        );
        let outcome = run(compiled(script(&source), Settings::default()), request("1"));
        assert_eq!(output(&outcome), "\"stack overflow\"", "{recursion}");
    }
}

#[test]
fn compiled_runs_repeat_in_fuel_cold_warm_and_stored() {
    let source = "const square = (x) => x * x; let calls = 0
        export default (n) => { let sum = 0; for (let i = 0; i < n; i++) { sum += square(i); calls++ } return [sum, calls] }";
    let interpreted = script(source);
    let handle = compiled(interpreted, Settings::default());
    let first = run(handle, request("1000"));
    assert_eq!(output(&first), "[332833500,1000]");
    assert!(first.fuel < run(interpreted, request("1000")).fuel / 2, "it is compiled");
    let stored = SANDBOX.kernel().stored(handle).expect("a stored form");
    // SAFETY: the line before gave it.
    let again =
        unsafe { SANDBOX.kernel().load(ProgramKind::Script, &stored) }.expect("a stored form").expect("a valid program").handle;
    for handle in [handle, again, compiled(script(source), Settings::default())] {
        let program = SANDBOX.kernel().program(handle).expect("a known program");
        for is_warm in [false, true] {
            if is_warm {
                block_on(SANDBOX.kernel().warm_up(&program));
            }
            let outcome = run(handle, request("1000"));
            assert_eq!((output(&outcome), outcome.fuel, outcome.was_warm), (output(&first), first.fuel, is_warm));
        }
        bench(SANDBOX.kernel(), &program, &request("10"), 3, true).expect("the engine works");
    }
}
