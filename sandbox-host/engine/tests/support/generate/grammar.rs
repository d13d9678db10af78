//! The text of programs by chance. `@x` are holes: see `Generator::fill`.

/// `G` is an object whose conversions have effects and sometimes throw; `tick` ends what would not end.
pub const HEAD: &str = r"let N = 0, shared = 1, late; const log = [], F = [], S = Symbol('S');
globalThis.gl = 1;
const tick = () => { if (++N > 500) throw 'too long' };
const G = { valueOf() { tick(); if (N % 17 === 0) throw new Error('valueOf'); return N % 5 }, toString() { return 'G' + N % 3 } };
const H = { [Symbol.toPrimitive](hint) { tick(); shared = hint.length; if (N % 13 === 0) throw new TypeError(hint); return hint === 'string' ? 'x' : N % 7 - 3 } };
class P { constructor(x) { this.x = x; this.y = shared } m(t) { return t + this.x } get g() { tick(); if (N % 11 === 0) throw 'getter'; return this.y } set g(v) { this.y = v } static s(a) { return [a, this === P] } }
class Q extends P { #h = 2; constructor(x) { super(x); this.z = this.#h } m(t) { return super.m(t) + '!' } k() { return this.#h++ } static has(x) { return #h in x } }
class R extends Q { f = this.x; static n = 0; static { R.n += 2 } #p() { return this.f } get pr() { return this.#p() } set pr(v) { this.#q = v } get #q() { return R.n } set #q(v) { R.n = v } ['c' + 1] = () => this.f; m(t) { return [super.m(t), super.g, new.target] } }
class A extends Array { sum() { let n = 0; for (const x of this) n += x; return n } }
const px = new Proxy({ x: 1, q: 2, m(n) { return [n, this === px] } }, { get(o, k, r) { tick(); if (N % 19 === 0) throw new RangeError('trap'); return Reflect.get(o, k, r) }, set(o, k, v) { tick(); o[k] = v; return N % 7 > 0 }, has: (o, k) => (tick(), N % 2 > 0 || k in o), deleteProperty: () => N % 3 > 0 });
function* gen(n) { try { for (let i = 0; i < 3; i++) { tick(); const got = yield i + n; if (got) n += got } } finally { L('closed') } return n }
async function* agen(n) { try { yield n; yield* [1, Promise.resolve(2)]; n = await n } finally { await null; L('aclosed') } }
async function later(x) { await null; if (x === 2) throw new Error('later'); return x }
const iter = { [Symbol.iterator]() { let i = 0; return { next() { tick(); if (N % 23 === 0) throw new Error('next'); return { value: i, done: i++ > 2 } }, return() { L('return'); return {} } } } };
const sites = []; const tag = (strings, ...values) => { if (!sites.includes(strings)) sites.push(strings); return [sites.indexOf(strings), strings.raw.join('|'), ...values] };
const cmp = (x, y) => { tick(); if (N % 29 === 0) throw new Error('cmp'); return x < y ? -1 : x > y ? 1 : 0 };
const run = new Function('f', '...x', 'return f(...x)');
const thrower = (x) => { tick(); if (x > 1) { throw new RangeError('far ' + typeof x) }
  return x?.missing.property };
const sloppy = (0, eval)('(function (a, b) { a = 5; b++; var r = [this === globalThis, arguments[0], arguments[1], arguments.length]; arguments[0] = 9; return [a, b, r] })');
function show(x, depth = 0) {
  if (typeof x === 'string') return JSON.stringify(x)
  if (typeof x === 'bigint') return x + 'n'
  if (Object.is(x, -0)) return '-0'
  if (typeof x === 'function') return 'function'
  if (typeof x !== 'object' || x === null) return String(x)
  if (x instanceof Error) return x.name + ':' + x.message + ':' + (x.stack ?? '').replace(/\n/g, '|')
  if (x === G) return 'G'
  if (x === px) return 'px'
  if (depth > 2) return '...'
  if (Array.isArray(x)) return '[' + x.map((y) => show(y, depth + 1)).join() + ']'
  return '{' + Object.keys(x).map((k) => k + ':' + show(x[k], depth + 1)).join() + '}'
}
const L = (x) => { if (log.length < 1500) { let s; try { s = show(x) } catch (e) { s = '!' + e } log.push(s.slice(0, 300)) } return x };
const h = (x, y) => { tick(); return x < y ? x : y };
const kept = [P, Q].map((c) => Object.getOwnPropertyDescriptors(c.prototype));
const reset = () => { for (let i = 0; i < 9; i++) delete Array.prototype[i]; [P, Q].forEach((c, i) => { for (const k of ['x', 'y', 'z', 'length', 'q', 'n0']) delete c.prototype[k]; Object.defineProperties(c.prototype, kept[i]) }) };
function v(...all) { return all.length + (arguments.length > 1 ? arguments[1] : all[0]) }
function rec(n) { return n > 0 ? rec(n - 1) + 1 : 0 }
async function drain(x) {
  if (typeof x?.next !== 'function') return x
  const told = []
  try { for (let i = 0; i < 9; i++) { const r = await (i === 5 ? x.throw(new Error('thrown in')) : i === 7 ? x.return(3) : x.next(i)); told.push(r); if (r.done) break } } catch (e) { told.push(e) }
  return told
}
";

pub const FOOT: &str = r"
const all = async (fs) => {
  for (const f of fs) for (const [a, b] of [[1, 2], [0.5, 'x'], [null, {}], [2147483647, -1], [G, [1]], [undefined, 3n]]) {
    N = 0; F.length = 0; let got;
    try { got = f(a, b) } catch (e) { L(e) }
    try { L(await drain(got)) } catch (e) { L(e) }
    for (const g of F.slice(0, 6)) { try { L(g(1)) } catch (e) { L(e) } }
  }
  for (const f of fs) for (const call of [() => f(), () => f.call(new P(3), 1), () => new f(1, 2, 3), () => run(f, 1.5, 2), () => [2, 1].map(f)]) {
    N = 0
    try { L(await drain(call())) } catch (e) { L(e) }
  }
};
export default async () => {
  const told = []
  for (const fs of [
GROUPS
  ]) {
    log.length = 0; shared = 1; late = undefined; reset()
    await all(fs)
    told.push(...log)
  }
  return told.join('\n')
}
";

pub const PARAMETERS: &[&str] = &[
    "p, q0",
    "p, q0",
    "p, q0",
    "p, q0 = 4",
    "p, q0 = p",
    "p, q0, ...others",
    "p, q0, r0 = () => p, r1 = r0()",
    "p, q0, { x: x0 = 1, ...y0 } = {}",
];

pub const LITERALS: &[&str] = &[
    "0",
    "1",
    "(-1)",
    "2",
    "7",
    "31",
    "33",
    "0.5",
    "(-0)",
    "1.5",
    "(-1.5)",
    "2147483647",
    "(-2147483648)",
    "2147483648",
    "4294967295",
    "4294967296",
    "9007199254740991",
    "(-9007199254740993)",
    "1e20",
    "5e-324",
    "0.1",
    "NaN",
    "Infinity",
    "(-Infinity)",
    "'a'",
    "'12'",
    "''",
    "'-0'",
    "' 7 '",
    "'0x10'",
    "'ä€😀'",
    "null",
    "undefined",
    "true",
    "false",
    "3n",
    "(-1n)",
    "(2n ** 65n)",
    "0n",
    "[1, 2]",
    "[]",
    "[, 1]",
    "({})",
    "G",
    "H",
    "'longer text'",
    "new P(1)",
    "/x/g",
    "Symbol.iterator",
    "P",
    "S",
    "px",
    "(() => 1)",
    "1073741824",
    "(-1073741825)",
    "65536",
    "46341",
];

/// What stands where a name could, and cannot be assigned.
pub const LEAVES: &[&str] = &[
    "o",
    "a",
    "t",
    "i8",
    "u32",
    "px",
    "this",
    "o.y",
    "a[0]",
    "t[0]",
    "a.length",
    "new Q(2)",
    "new R(1)",
    "A.of(1, 2)",
    "gl",
    "late",
    "notThere",
    "(typeof notThere)",
    "new.target",
    "F",
    "iter",
    "gen(1)",
    "s.length",
    "shared",
];

pub const EXPRESSIONS: &[&str] = &[
    // Operators.
    "(@e @o @e)",
    "(@e @o @e)",
    "(@e @o @e)",
    "(@e @o @a)",
    "(@a @o @e)",
    "(@e @r @e)",
    "(@e @r @a)",
    "(@e ? @e : @e)",
    "(- @e)",
    "(+ @e)",
    "(!@e)",
    "(~@e)",
    "(typeof @e)",
    "(void @e)",
    "(@e, @e)",
    "(@e && @e)",
    "(@e || @e)",
    "(@e ?? @e)",
    "((@e) | 0)",
    "((@e) >>> 0)",
    "(@e * 1.5)",
    "(@e + 0.5)",
    "(@e % 7)",
    "(-(@e * 2))",
    "(@e === @t)",
    "(@e == null)",
    "(@e !== undefined)",
    "(@e < @n)",
    // Variables.
    "(@v++)",
    "(@v--)",
    "(++@v)",
    "(--@v)",
    "(@v @s @e)",
    "(@v @s @e)",
    "(@v = @e)",
    "(@v + (@v = @e))",
    "[@v, @v++, @v]",
    "(late = @e)",
    "(gl @s @e)",
    "(shared @s @e)",
    "([@v, @v] = [@e, @v])",
    "({ x: @v, ...@v } = o)",
    "([@v = @e] = a)",
    "([...@v] = @e)",
    "({ @k: @v = @e } = @e)",
    // Properties.
    "o.@k",
    "o.@k",
    "(@e).@k",
    "(@e)?.@k",
    "(@e)?.@k.@k",
    "(@a)?.m?.(@e)",
    "o[@e]",
    "(@e)[@e]",
    "(o.@k @s @e)",
    "((@a).@k @s @e)",
    "(o[@e] @s @e)",
    "(o.@k++)",
    "(--o.@k)",
    "((@a).@k++)",
    "a[@e]",
    "a[@n]",
    "(a[@n] @s @e)",
    "(a[@e] = @e)",
    "(a[@n]++)",
    "t[@n]",
    "t[@e]",
    "(t[@n] @s @e)",
    "(t[@e] = @e)",
    "(i8[@n] @s @e)",
    "(u32[@n] @s @e)",
    "(u32[0]--)",
    "i8[@e]",
    "(delete o.@k)",
    "(delete o[@e])",
    "(delete a[@n])",
    "(o = null, 1)",
    "px.@k",
    "(px.@k @s @e)",
    "('@k' in o)",
    "(@e in px)",
    "(o.x = o.y = @e)",
    "(a[@v = 1] = @v)",
    "(o?.[@e])",
    // Calls.
    "h(@e, @e)",
    "o.m(@e)",
    "o.@k(@e)",
    "(@e)(@e)",
    "v(@e, @e)",
    "v(...@e)",
    "v(@e, ...a, @e)",
    "P.s(@e)",
    "(() => @c)()",
    "((x, y = @c) => @c)(@e)",
    "(function () { return @c })()",
    "(function () { return [this, arguments.length, @c] }).call(@e, @e)",
    "run(h, @e, @e)",
    "run(() => @c)",
    "run(thrower, @e)",
    "thrower(@e)",
    "sloppy(@e, @e)",
    "sloppy(@e)",
    "sloppy.call(@e, @e)",
    "sloppy.apply(null, a)",
    "h.call(null, @e, @e)",
    "h.apply(null, @e)",
    "v.bind(null, @e)(@e)",
    "Reflect.apply(h, null, [@e, @e])",
    "rec(@n)",
    "L(@e)",
    "px.m(@e)",
    "(@e).m(@e)",
    "(@e).toString()",
    "F.length",
    // Made things.
    "[@e, @e]",
    "[@e, ...a.slice(0, 3), @e]",
    "[...@e]",
    "[, @e]",
    "({ @k: @e, ...o, [@a]: 1 })",
    "({ @k: @e, @k: @e })",
    "({ ...@e })",
    "({ get @k() { return @c }, x: @e }).@k",
    "({ __proto__: o, @k: @e }).@k",
    "({ m() { return super.toString === Object.prototype.toString } }).m()",
    "new P(@e)",
    "new Q(@e).@k",
    "new Q(@a).m(@e)",
    "new Q(@a).k()",
    "Q.has(@e)",
    "new R(@e).pr",
    "(new R(1).pr = @e)",
    "new R(@e).c1()",
    "new R(@e).m(@e)",
    "new (@e)(@e)",
    "new P(...@e)",
    "Reflect.construct(P, [@e], Q)",
    "`${@e}-${@v}`",
    "tag`a${@e}\\n${@e}`",
    "`${@a}`",
    "new (class { x = @c; static y = 1; [@a] = 2 })().x",
    "new (class extends P { constructor() { @c; super(@c) } get z() { return super.g } })().z",
    "(class { static x = @c; static #y = this.x; static z() { return this.#y } }).z()",
    "new (class extends (@a) {})()",
    "A.from([1, 2]).sum()",
    // Built-in things.
    "Math.floor(@e)",
    "Math.max(@e, @e)",
    "Math.abs(@e)",
    "Math.imul(@e, @e)",
    "Math.fround(@e)",
    "Math.sqrt(@e)",
    "Math.min(@e)",
    "Math.trunc(@e)",
    "Number(@e)",
    "parseInt(@e)",
    "(@n).toFixed(1)",
    "String(@e)",
    "BigInt.asIntN(8, BigInt(@e))",
    "(3n @o BigInt(@n))",
    "(@e @o 2n)",
    "Number.isInteger(@e)",
    "String(@v).length",
    "String(@v).charCodeAt(@n)",
    "String(@v)[@n]",
    "String(@v).slice(@e)",
    "String(@v).indexOf('a')",
    "s[@n]",
    "s.charCodeAt(@e)",
    "s.at(@n)",
    "(s += @e)",
    "(s + @e).slice(-9)",
    "'abc'.replace(/b/, (x) => @c)",
    "'a-b'.split('-')",
    "s.padStart(@n, 'xy')",
    "'ä€😀'.codePointAt(@n)",
    "[...'a😀'].length",
    "a.push(@e)",
    "a.pop()",
    "a.shift()",
    "a.unshift(@e)",
    "a.indexOf(@e)",
    "a.join()",
    "a.map((x) => @c)",
    "a.filter((x, i) => @c)",
    "a.reduce((x, y) => @c, @e)",
    "a.at(@e)",
    "a.splice(@e, 1, @e)",
    "a.concat(@e)",
    "a.reverse()",
    "a.includes(@e)",
    "a.some((x) => @c)",
    "a.slice().sort(cmp)",
    "a.sort((x, y) => @c)",
    "a.toSorted(cmp)",
    "[3, 1, 2].sort(() => @c)",
    "a.forEach((x) => { @v = x })",
    "a.flatMap((x) => [x, @c])",
    "Array.from({ length: 2 }, (_, i) => @c)",
    "Object.keys(@e)",
    "Object.entries(o).length",
    "Object.assign(o, @e)",
    "Array.isArray(@e)",
    "JSON.stringify(@e)",
    "JSON.parse('[1,2]', (k, x) => @c)",
    "new Map([[@e, 1]]).get(@e)",
    "new Set([@e, @e]).size",
    "[...gen(@e)]",
    "gen(@e).next().value",
    "Symbol(@a).description",
    "Object.is(@e, @e)",
    "Reflect.ownKeys(o).length",
    "structuredClone(a)",
    "new Error(@e)",
    "(0, eval)('shared2 = 1')",
    "isNaN(@e)",
    "[@e].flat()",
    "new Uint8Array([@e])[0]",
    "Function.prototype.call.call(h, null, @e, @e)",
    "new Date(@e).getTime()",
    "Object.fromEntries([['@k', @e]])",
    "o.hasOwnProperty(@e)",
    "Object(@e)",
];

pub const GENERATOR_EXPRESSIONS: &[&str] = &[
    "(yield @e)",
    "(yield)",
    "((yield @e) + @e)",
    "(yield* [@e, @e])",
    "(yield* gen(@e))",
    "[yield @e, @v, yield]",
    "h(@e, yield)",
    "(yield* iter)",
];

pub const ASYNC_EXPRESSIONS: &[&str] = &[
    "(await @e)",
    "(await later(@e))",
    "((await @e) + @e)",
    "(await Promise.all([later(1), @e]))",
    "(await (async () => @c)())",
    "[@v, await null, @v]",
    "(await new Promise((y, n) => @c ? y(@c) : n(@c)))",
];

pub const STATEMENTS: &[&str] = &[
    "@v @s @e;",
    "@v @s @e;",
    "@v = @e;",
    "@v = @e;",
    "@v = @e;",
    "L(@e);",
    "L(@e);",
    "L(@e);",
    "o.@k = @e;",
    "@v++;",
    "s += @e; if (s.length > 200) s = '';",
    "u = @e; w = @e;",
    "if (@e) throw @e;",
    "if (@e) throw new Error(@a);",
    "if (@e) return @e;",
    "F.push((x) => (w += x, @c));",
    "F.push(() => L(this));",
    // Shapes and prototypes change under warm caches.
    "delete o.@k;",
    "o['n' + @n] = @e;",
    "Object.defineProperty(o, '@k', { get() { tick(); delete o.y; return @c }, configurable: true });",
    "Object.defineProperty(o, '@k', { value: @e, writable: @a, configurable: true });",
    "Object.setPrototypeOf(o, @e);",
    "P.prototype.@k = @e;",
    "delete P.prototype.@k;",
    "Object.freeze(@e);",
    "a.length = @n;",
    "a[@n + 9] = @e;",
    "a[40] = 1;",
    "Object.defineProperty(a, @n, { get() { return @c }, configurable: true });",
    "Array.prototype[@n] = 'proto';",
    "Object.seal(a);",
    "{ const big = [@e]; big.length = 2 ** 31; big[2 ** 31] = @e; L([big.length, big[@n], Object.keys(big)]) }",
    "a[-1] = @e;",
    "a['01'] = @e;",
    "o = 1;",
    "late2 = @e; let late2 = 1;",
    "{ const f2 = () => late3; L(f2()); let late3 = 1 }",
    "cmp = @e;",
    "const [c0, c1 = @e, ...c2] = a; L([c0, c1, c2]);",
    "const { x: d0 = @e, ...d1 } = o; L([d0, d1]);",
    "const { x: { y: e0 = 2 } = {}, [@a]: e1 } = @a; L([e0, e1]);",
    "var h0 = @e; L(h0);",
    "try {\n(function r() { return r() + 1 })()\n} catch (e) {\nL(e.message)\n}",
    "{\nlet w2 = @e;\nF.push((x) => (w2 += x, @c));\n@v = w2;\n}",
    "{\nlet b0 = @e, b1 = () => b0++;\n@v = [b1(), b0, b1()];\n@b}",
    "if (@e) {\n@b} else {\n@b}",
    "if (@e) {\n@b}",
    "for (let @i = 0; @i < @n; @i++) {\ntick();\n@I}",
    "for (let @i = 0; @i < 5; @i++) {\ntick();\n@I}",
    "for (let @i = @t; @i < 4; @i++) {\ntick();\n@I}",
    "for (let @i = 2147483645; @i < 2147483650; @i++) {\ntick();\n@I}",
    "for (let @i = 0.5; @i < 3; @i += 0.75) {\ntick();\n@I}",
    "for (let @i = 3; @i--; ) {\ntick();\nF.push(() => @i);\n@I}",
    "for (var vi = 0; vi < 3; vi++) {\ntick();\n@l}",
    "let @i = 0;\ndo {\ntick();\n@I} while (h(@i++, 3) < 2);",
    "while (h(@v, 3) < 2) {\ntick();\n@l}",
    "while (true) {\ntick();\nif (@e) break;\n@l}",
    "try {\n@b} catch (e) {\nL(e);\n@b}",
    "try {\n@b} catch {\n@b} finally {\n@b}",
    "try {\n@b} finally {\n@b}",
    "try {\nthrow @e;\n} catch ({ message = @e }) {\nL(message);\n}",
    "try {\nreturn @e;\n} finally {\n@b}",
    "for (const q of @e) {\ntick();\n@l}",
    "for (let q of a) {\ntick();\n@q}",
    "for (let q of iter) {\ntick();\n@q}",
    "for (let q of gen(@e)) {\ntick();\n@q}",
    "for (let q of t) {\ntick();\n@q}",
    "for (let q of new Set([1, @e])) {\ntick();\n@q}",
    "for (const [q, { length } = ''] of Object.entries(o)) {\ntick();\nL(length);\n@l}",
    "for (@v of @e) {\ntick();\n@l}",
    "for (o.x of 'ab') {\ntick();\n@l}",
    "for (let q in o) {\ntick();\nL(q);\n@q}",
    "for (const q in @e) {\ntick();\n@l}",
    "@m: for (let @i = 0; @i < 4; @i++) {\ntick();\n@M}",
    "@m: for (let @i of a) {\ntick();\ntry {\n@M} finally {\n@M}\n}",
    "@m: for (let @i = 0; @i < 3; @i++) {\nfor (const q of iter) {\ntick();\n@M}\n}",
    "switch (@e) {\ncase 1:\n@bcase 'a':\n@bdefault:\nL(1);\n}",
    "switch (@v) {\ncase @a:\nlet c9 = @e;\nF.push(() => c9);\ndefault:\n@bcase @t:\n@b}",
    "switch (typeof @e) {\ncase 'number':\n@bbreak;\ncase 'string':\n@b}",
    "class K extends P {\nx1 = @c;\nstatic y1 = @c;\nm(t) {\n@Creturn super.m(t);\n}\nget g() {\n@Creturn super.g;\n}\n}\nL(new K(@e).m(@e));",
    "class K {\n#a = @c;\nget b() {\nreturn this.#a++;\n}\nset b(n) {\n@Cthis.#a = n;\n}\nstatic of(x) {\nreturn x.#a;\n}\n}\nconst k0 = new K();\nk0.b += @e;\nL([k0.b, K.of(@e)]);",
    "const fn = function (x) {\n@Creturn x;\n};\nF.push(fn);\nL(fn(@e));",
    "const ar = (x, ...y) => {\n@Creturn [x, y, this === undefined];\n};\nL(ar(@e, @e));",
    "function* g2(x) {\n@Cyield x;\nreturn @c;\n}\nL([...g2(@e)]);",
    "const as = async (x) => {\n@Cawait x;\nL('after');\n@C};\nas(@e).catch(L);",
    "const warm = (x) => x.y;\nfor (const q of [o, new P(1), o, px, @e]) {\ntick();\nL(warm(q));\n}",
    "const put = (x, y) => {\nx.y = y;\nreturn x.y;\n};\nfor (const q of [o, new P(1), o, Object.freeze({ y: 1 }), @e]) {\ntick();\nL(put(q, @e));\n}",
    "const item = (x, i) => x[i];\nfor (const q of [a, t, 'ab', i8, [, 1], px, @e]) {\ntick();\nL(item(q, @n));\n}",
    "const call = (x) => x.m(1);\nfor (const q of [new P(1), new Q(2), o, new P('s'), px, @e]) {\ntick();\nL(call(q));\n}",
];

/// Of functions that are not strict.
pub const SLOPPY_STATEMENTS: &[&str] = &[
    "arguments[0] = @e; L(p);",
    "p = @e; L(arguments[0]);",
    "L([...arguments]);",
    "L(eval('@v'));",
    "eval('var ev = 1; @v = 2'); L(ev);",
    "undeclared = @e; L(undeclared);",
    "L(this === globalThis);",
    "delete arguments[0]; p = @e; L(arguments[0]);",
    "var p; L(p);",
    "function inner() { return arguments.callee === inner } L(inner());",
    "Object.freeze(o); o.x = @e;",
    "a.length = 'x';",
    "with (o) {\nx = @e;\nL(y);\n}",
    "with (@e) {\ntry {\nL(x);\n} catch (e) {\nL(e);\n}\n}",
    "with (px) {\nq = 1;\nL(q);\n@b}",
];

pub const ASYNC_STATEMENTS: &[&str] = &[
    "await @e;",
    "L(await @e);",
    "await later(2);",
    "try {\nawait later(@e);\n@b} catch (e) {\nL(e);\n} finally {\nawait 1;\n@b}",
    "for await (let q of agen(@e)) {\ntick();\n@q}",
    "for await (const q of [later(1), @e]) {\ntick();\n@l}",
    "for await (let q of gen(1)) {\ntick();\n@q}",
];
