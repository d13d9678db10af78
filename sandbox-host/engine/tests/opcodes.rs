//! Every opcode of QuickJS in the modes that must not be told apart, on operands of all kinds, those that throw included: the same results, the
//! same errors with their stacks, and the same on the heap at the end, so that no path loses a reference or gives one up twice.
mod support;
use agent_engine::script_compiler::Settings;
use agent_engine::script_program::{CompilerInput, opcodes};
use std::collections::BTreeSet;
use support::differential::{Verdict, verdict};
use support::{SANDBOX, script};

/// Bodies of functions of `a` and `b`.
const BODIES: &[&str] = &[
    // Numbers and comparisons.
    "return a + b",
    "return a - b",
    "return a * b",
    "return a / b",
    "return a % b",
    "return a ** b",
    "return a & b",
    "return a | b",
    "return a ^ b",
    "return a << b",
    "return a >> b",
    "return a >>> b",
    "return a < b",
    "return a <= b",
    "return a > b",
    "return a >= b",
    "return a == b",
    "return a != b",
    "return a === b",
    "return a !== b",
    "return [-a, +a]",
    "return ~a",
    "return [!a, !!b]",
    "return [typeof a, void b]",
    "return [a === null, b === undefined, a == null]",
    "return [typeof a === 'undefined', typeof b === 'function']",
    "return a in b",
    "return a instanceof b",
    "return 0 + 1 - a + 2 * 3 + 4 + 5 + 6 + 7 + 100 + 1000 + 100000 + 1.5",
    "return [true, false, null, undefined, '', 'text', /x/g, -1]",
    // Variables, arguments, closures.
    "a += b; return a",
    "let x = a; x += b; return x",
    "let x = a; x++; x--; return x",
    "let x = a; return [x++, x--, ++x, x]",
    "a++; return [a--, a]",
    "a = b; b = a; return [a, b]",
    "return [a = b, b = 1, a]",
    "let x = a; const f = () => x; x += b; x++; return f()",
    "const f = () => a; a = b; return [f(), a++, f()]",
    "let c = 0; const f = (n) => (c += n, () => c++); return [f(a)(), f(b)(), c]",
    "let x; const f = () => x; { let y = a; x = () => y; y = b } return f()()",
    "const fs = []; for (let i = 0; i < 3; i++) { fs.push(() => i); i += 0 } return fs.map((f) => f())",
    "x; let x = a",
    "const f = () => x; f(); let x = a",
    "const f = () => { x = 1 }; f(); let x = a",
    "x = b; let x = a",
    "const x = a; x = b",
    "const x = a; (() => { x = b })()",
    "g1 = a; return [g1, typeof g1, typeof notThere]",
    "return notThere",
    "notThere = a",
    "function f(x) { x = [x, a]; return x } return f(b)",
    "function f(x = a, [y] = [b], ...z) { return [x, y, z] } return f(undefined, undefined, a, b)",
    "let l0 = a, l1 = b, l2 = l0, l3 = l1, l4 = 1; l4 = l3; l3 = l2; l2 = l4; return [l0, l1, l2, l3, l4]",
    "let x; return [x = a, x ??= b, x ||= b, x &&= b, x]",
    "let u = 1.5; u *= 2; u = a; u = 0.5; return u + b",
    "let q = ''; for (const x of [a, b, a, 'tail']) q += typeof x; q += a; return q",
    "var x = a; x += b; return x",
    "var x = a; x++; x--; return [x, ++x]",
    "var x = a, y = b, z = x, n = 1; return [(x = y), (y = z), (z = n), (n = x), n]",
    "return ((c, d, e, f, g) => { e = a; f = b; g = f; return [c, d, e, f, (e = 1), (f = 2), (d = 3), (g = e), g] })(1, 2, 3, 4, 5)",
    "var c0 = a, c1 = b, c2 = 3, c3 = 4, c4 = 5; return (() => { c4 = c0; return [(c0 = c1), (c1 = c2), (c2 = c3), (c3 = c4), (c4 = 1), c4] })()",
    // Properties.
    "return a.x",
    "return a?.x?.y",
    "return a.length",
    "a.x = b; return a.x",
    "a.x += b; return a.x",
    "return [a.x++, --a.x, a.x]",
    "return a.x = a.y = b",
    "return a[b]",
    "return a?.[b]",
    "a[b] = 1; return a[b]",
    "a[b] += 1; return a[b]",
    "return [a[b]++, a[0]--]",
    "return a[0] = a[1] = b",
    "return a[b] ??= 2",
    "return delete a.x",
    "return delete a[b]",
    "return (a.x ||= b, a.y &&= b, a.z ??= b)",
    "return a.m(b)",
    "return a.m?.(b)",
    "return a[b](1)",
    "return a.m.x",
    "return [a[0], a[1], a[9], a['0']]",
    // Calls.
    "return a(b)",
    "return a()",
    "return a(1, 2)",
    "return a(1, 2, b)",
    "return a(1, 2, 3, 4, b)",
    "return ((c, d, e, f) => { f = b; c = 1; return f })(1, 2, 3, 4)",
    "var x = a; x--; x++; x--; var v1, v2, v3, v4; return [x, (v4 = b), v4]",
    "var r = a(1, 2, 3, 4, b); return [r]",
    "return new a(b)",
    "return new a()",
    "return a(...b)",
    "return a(1, ...b, 2)",
    "return a.m(...b)",
    "return new a(...b)",
    "return v(b, ...[a])",
    "const f = (x) => [x, b]; return f(f(a))",
    "const f = (x, y) => { x = y; return x }; return [f(a, b), f(a), f(1, b)]",
    "const o = { m(x) { return [this === o, x] } }; return [o.m(a), o.m(b)]",
    "return (() => thrower(a))()",
    "const f = () => thrower(b); return f() + 1",
    "return v.call(a, b)",
    "return [1, 2].map((x) => a(x))",
    "return [2, 1, 3].sort((x, y) => a - b)",
    // Literals.
    "return [a, b]",
    "return [a, , b]",
    "return [...a]",
    "return [1, ...a, ...b, 2]",
    "return { a, b, x: a }",
    "return { ...a }",
    "return { [a]: class { x = b } }",
    "return { x: 1, ...a, y: b }",
    "return { [a]: b }",
    "return { [a]() { return b } }",
    "return { get [a]() { return b }, set x(n) {} }",
    "return { __proto__: a, x: b }.x",
    "return { m() { return super.x } }.m()",
    "return { __proto__: { get x() { return this.y } }, y: a, m(k) { return [super.x, super[k]] } }.m(b)",
    "return { m() { super.x = a; return this.x } }.m()",
    "return { m() { return [super.x++, super.y += 1, super[a] = b] } }.m()",
    "return `${a}`",
    "return `x${a}y${b}`",
    "return tag`x${a}\\n${b}`",
    "const { x, ...rest } = a; return [x, rest]",
    "const { [a]: x = 1, ...rest } = b; return [x, rest]",
    "const [x, y = b, ...rest] = a; return [x, y, rest]",
    "let x; [x, a.x] = [a, b]; return x",
    "let x; ({ x, y: a[0] = x } = b); return x",
    "const f = () => {}, g = function () {}, K = class {}; return [f.name, g.name, K.name]",
    "const K = { [a]: () => {} }; return 1",
    "return (function named() { return typeof named })()",
    "return /(?<y>a)/.exec(a)",
    // Control.
    "return a ? b : 1",
    "return a && b",
    "return a || b",
    "return a ?? b",
    "if (a) { if (b) return 1; return 2 } return 3",
    "let n = 0; while (n < 3) { if (a) { n += 2; continue } n++; if (b) break } return n",
    "let n = 0; do { n++ } while (n < 2 && a); return n",
    "for (const x of a) { if (x === b) return x } return 'none'",
    "const r = []; for (const x of a) { r.push(x); if (r.length > 1) break } return r",
    "const r = []; for (const [x, y = b] of a) r.push(x, y); return r",
    "for (const x of a) throw b",
    "const r = []; for (const k in a) { r.push(k); if (r.length > 1) continue } return r",
    "for (a.x of [b]) { } return a.x",
    "switch (a) { case b: return 1; case 1: return 2; case 'a': { let q = b; return () => q } default: return 3 }",
    "outer: for (const x of [1, 2, 3]) { for (const y of [1, 2]) { if (x === 2) continue outer; if (a) break outer } } return b",
    // Exceptions.
    "throw a",
    "try { throw a } catch (e) { return [e, b] }",
    "try { return a + b } finally { v(a) }",
    "try { a.m(b) } catch ({ message, ...rest }) { return [message, rest] } finally { v(b) }",
    "for (let i = 0; i < 2; i++) { try { if (i) return a; continue } finally { v(i) } }",
    "for (const x of [1, 2]) { try { if (a) continue; break } catch { } finally { try { thrower(b) } catch { } } } return 'end'",
    "try { try { thrower(a) } finally { b.x } } catch (e) { return e }",
    "try { return a } finally { return b }",
    "const x = [a, b, (() => { throw new Error('in the middle') })()]",
    "return v(a, b, thrower(9), a)",
    "return { x: a, y: b, z: thrower(9) }",
    "return a + thrower(9)",
    "return `${a}${thrower(9)}`",
    "for (const x of gen(a)) { thrower(9) }",
    "const [x] = gen(a); return x",
    // Classes.
    "class K { x = a; static y = b; #p = a; static #s = b; get p() { return this.#p } set p(n) { this.#p = n } static s() { return K.#s } } const k = new K(); k.p = b; return [k.x, K.y, k.p, K.s()]",
    "class K { #m() { return a } get #g() { return this.#m() } set #g(n) { this.x = n } t(o) { this.#g = b; return [this.#g, #m in o, this.x++] } } return new K().t(a)",
    "class K extends a { } return new K(b)",
    "class K extends a { constructor(...x) { super(...x); this.k = 1 } m() { return super.m(b) } } const k = new K(b); return [k.k, k.m()]",
    "class K extends Object { constructor() { return a } } return new K()",
    "class K extends Object { constructor() { if (a) super(); } } return new K() instanceof K",
    "class K { static { this.x = a } static m() { return super.toString === Object.toString } [b] = 1; static [a] = 2 } return [K.x, K.m()]",
    "class K extends null { static x = a } return K.x",
    "class K { constructor() { return new.target } } return typeof new K()",
    "return (class { static #q = 1; static t(o) { return o.#q } }).t(a)",
    "(class {})()",
    "class K { x = thrower(a) } return new K()",
    "class K extends Proxied { x = a; y = b } return new K()",
    "class K extends Object { t() { return [super.x, super[a], super.constructor === Object] } } return new K().t()",
    "class K { #x = 1; static set(o, n) { o.#x = n; o.#x += n; return o.#x } } return [K.set(new K(), b), K.set(a, b)]",
    "class K extends P { get g() { return super.g } set g(n) { super.g = n } } const k = new K(a); k.g = b; return [k.g, k.y]",
    // What is interpreted, and calls what is compiled.
    "return [...gen(a)]",
    "const it = gen(a); it.next(); return [it.return(b), it.next()]",
    "function* g() { try { const x = yield a; yield* [x, b] } finally { v(a) } } const it = g(); return [it.next(), it.next(b), it.return(1)]",
    "async function f() { await a; return b } f().catch(() => {}); return 1",
    "(async () => { for await (const x of [a, b]) v(x) })().catch(() => {}); return 1",
    "async function* g() { yield a; yield* [b]; return await a } const it = g(); it.next(); it.next().catch(() => {}); it.return(1).catch(() => {}); return 1",
    "return runs(() => a + b)",
    "return evaluated(a, b)",
    "return [arguments.length, arguments[0], arguments[1]]",
    "return import('x').catch(() => {}), 1",
    "return import.meta === undefined",
];

/// The same, of functions that are not strict.
const SLOPPY_BODIES: &[&str] = &[
    "arguments[0] = b; arguments[1] = 1; return [a, b, arguments.length]",
    "a = b; return arguments[0]",
    "return this === globalThis",
    "with (a) { x = b; return x }",
    "with (a) { b = 1; return b }",
    "with (a) { var x = b; for (var y of [1]) ; for (var z in [b]) ; for (x in [1]) ; return [x, y, z] }",
    "var w1 = 1; with (a) { w1 = b; w1 += 1; x = w1; return w1 }",
    "var w2 = 1; return (() => { with (a) { w2 = b; w2++; return w2 } })()",
    "with (a) { return typeof m === 'function' ? m(b) : delete x }",
    "with (a) { x += 1; x++; return typeof x }",
    "return eval('a + 1')",
    "eval('var e1 = b'); return e1",
    "var f = () => eval('b'); return f()",
    "undeclared1 = a; undeclared1 += 1; return delete undeclared1",
    "try { throw a } catch (e) { var e = b; return e }",
    "return eval(...['a'])",
    "with (a) { return x`t` }",
    "delete a; return delete a.x",
    "function inner() { return this } return typeof inner.call(a)",
    "return (function () { return typeof this }).call(b)",
    "with ({ get y() { return a } }) { y = 2; return y }",
    "a.x = b; Object.freeze(a); a.x = 1; return a.x",
    "with (a) { [x] = [b]; for (x of [1]) ; return x }",
    "b: for (a of [1]) break b; return a",
];

const HEAD: &str = r"
const tag = (strings, ...values) => [strings.raw.join('|'), strings === tag.last, (tag.last = strings, values)];
const thrower = (x) => { if (x) { throw new RangeError('thrown') }
  return x.missing };
const v = (...all) => all.length;
function* gen(x) { try { yield x; yield 1 } finally { tag.closed = (tag.closed ?? 0) + 1 } }
const runs = new Function('f', 'return f()');
const evaluated = (0, eval)('(function (a, b) { return [a, b] })');
globalThis.g1 = 0;
class P { constructor(x) { this.x = x; this.y = 2 } get g() { return this.y } set g(n) { this.y = n } m(n) { return [n, this.x] } }
class Proxied { constructor() { return new Proxy({}, { defineProperty() { throw new Error('defined') } }) } }
const values = [
  () => 1, () => -0, () => 2147483647, () => -2147483648, () => 0.5, () => NaN, () => 'a', () => '12', () => null, () => undefined, () => true, () => 3n,
  () => Symbol('s'), () => ({ x: 1, m(n) { return [n, this.x] }, y: { y: 1 } }), () => [1, 2.5, 'z'], () => [[1, 2], [3]], () => Object.freeze({ x: 1 }), () => new Float64Array(2),
  () => ({ get x() { throw new Error('get') }, set x(n) { throw new Error('set') }, [Symbol.toPrimitive]() { throw new TypeError('conversion') }, m() { throw new Error('m') }, [Symbol.iterator]() { return { next() { throw new Error('next') } } } }),
  () => new Proxy({ x: 1 }, { get(o, k) { if (k === 'length') throw new Error('trap'); return o[k] }, set(o, k, n) { if (n === 2) throw new Error('set trap'); o[k] = n; return n !== 1 }, has(o, k) { return k === 'x' } }),
  () => function (x) { return [x, new.target === undefined] }, () => class K { constructor(x) { this.x = x } static m(n) { return n } }, () => (x) => { throw new Error('called') }, () => new P(1), () => P,
];
function show(x, depth = 0) {
  if (typeof x === 'string') return JSON.stringify(x)
  if (Object.is(x, -0)) return '-0'
  if (typeof x !== 'object' || x === null) return typeof x === 'function' ? 'f' : String(x)
  if (x instanceof Error) return x.name + ':' + x.message + (x.stack ?? '').replace(/\n */g, '|')
  if (depth > 2) return '...'
  if (Array.isArray(x)) return '[' + x.map((y) => show(y, depth + 1)).join() + ']'
  return '{' + Object.keys(x).map((k) => k + ':' + show(x[k], depth + 1)).join() + '}'
}
const told = (f, x, y) => { let r; try { r = f(values[x](), values[y]()) } catch (e) { r = e } try { return show(r) } catch (e) { return '!' + show(e) } };
";

const FOOT: &str = "
export default async () => {
  const lines = []
  for (const f of functions) {
    const all = []
    for (let x = 0; x < values.length; x++) { all.push(told(f, x, (x * 7 + 3) % values.length)); for (let y = x % 3; y < values.length; y += 3) all.push(told(f, x, y)) }
    lines.push(all.join(';'))
  }
  await null
  return lines.join('\\n')
}
";

/// Functions of one script: more would take the cells from one another.
const BATCH: usize = 12;

fn scripts() -> Vec<String> {
    let strict = BODIES
        .chunks(BATCH)
        .map(|bodies| bodies.iter().map(|body| format!("(a, b) => {{ {} }}", strict(body))).collect::<Vec<_>>());
    let sloppy = SLOPPY_BODIES.chunks(BATCH).map(|bodies| {
        bodies.iter().map(|body| format!("(0, eval)({:?})", format!("(function (a, b) {{ {body} }})"))).collect::<Vec<_>>()
    });
    let long = std::iter::once(vec![long(), far()]);
    strict
        .chain(sloppy)
        .chain(long)
        .map(|functions| format!("{HEAD}const functions = [\n{}\n]{FOOT}", functions.join(",\n")))
        .collect()
}

/// More variables, constants and code than the short forms of opcodes reach.
fn long() -> String {
    let each = |text: &str, count: usize| (0..count).map(|n| text.replace('#', &n.to_string())).collect::<String>();
    let variables = each("var v# = # + 0.5, f# = () => v0 + #.25;", 280);
    let middle = each("if (a === #.75) v1 += v#; v279 = (v278 = v#);", 270);
    format!(
        "(a, b) => {{ {variables} let n = 0; do {{ if (a) {{ {middle} continue }} else {{ v2++; }} {middle} }} while (n++ < 1 || (b && n < 3));
            v279 += a; v278++; --v277; return [v1, v2, v277, v278, v279, f0(), f279()] }}"
    )
}

/// Jumps further than 16 bits reach.
fn far() -> String {
    let body = "if (a === 100000) v1 += 200000; v1 = (v2 = 300000); v2 = (v9 = 400000); ".repeat(1200);
    let variables = (0..12).map(|n| format!("var v{n} = {n};")).collect::<String>();
    format!("(a, b) => {{ {variables} let n = 0; while (n++ < 2) {{ {body} }} v9 += b; return [v1, v2, v9] }}")
}

/// Arrows have no `arguments` and no `new.target` of their own.
fn strict(body: &str) -> String {
    if body.contains("arguments") { format!("return (function (a, b) {{ {body} }})(a, b)") } else { body.to_owned() }
}

#[test]
fn every_path_of_every_opcode_is_the_interpreters_and_leaves_the_same_heap() {
    for source in scripts() {
        match verdict(&source) {
            Verdict::Same => {}
            Verdict::Differs(difference) => panic!("{difference}\n{}", &source[HEAD.len()..]),
            other => panic!("{other:?}\n{}", &source[HEAD.len()..]),
        }
    }
}

/// What no source that we know of leaves in a function's code: QuickJS's own compiler makes shorter forms of them, or uses them in evaluated scripts
/// and in generated code alone.
const ABSENT: [&str; 10] =
    ["dec_loc", "dup2", "invalid", "nip1", "nop", "put_var_init", "put_var_ref_check_init", "rot4l", "rot5l", "swap2"];

#[test]
fn every_opcode_is_among_them() {
    let (mut all, mut used) = (BTreeSet::new(), BTreeSet::new());
    for source in scripts() {
        let handle = script(&source);
        let input = SANDBOX.kernel().compiler_input(handle, Settings::default()).expect("a script");
        let [names, found] = opcodes(&CompilerInput::decode(&input).expect("an input")).expect("a script");
        all = names;
        used.extend(found);
    }
    let missing: Vec<_> = all.difference(&used).filter(|name| !ABSENT.contains(&name.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
