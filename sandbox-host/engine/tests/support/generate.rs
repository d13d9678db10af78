//! Programs by chance, from a seed: what people write, and what nobody writes, in short loops. Each tells all that it does as its output, with
//! names, messages and stacks of what is thrown.

/// The same seed gives the same program.
pub fn program(seed: u64) -> String {
    let mut generator = Generator { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1 };
    for _ in 0..4 {
        generator.next();
    }
    let mut source = HEAD.to_owned();
    for index in 0..FUNCTIONS {
        source += &generator.function(index);
    }
    source += &FOOT.replace("FUNCTIONS", &(0..FUNCTIONS).map(|index| format!("f{index}")).collect::<Vec<_>>().join(","));
    source
}

const FUNCTIONS: usize = 3;

/// `G` is an object whose conversions have effects and sometimes throw; `tick` ends what would not end.
const HEAD: &str = "let N = 0; const log = []; const F = []; let shared = 1, late
const tick = () => { if (++N > 4000) throw 'too long' }
const G = { valueOf() { tick(); if (N % 17 === 0) throw new Error('valueOf'); return N % 5 }, toString() { return 'G' + N % 3 } }
class P { constructor(x) { this.x = x; this.y = shared } m(t) { return t + this.x } get g() { tick(); if (N % 11 === 0) throw 'getter'; return this.y } set g(v) { this.y = v } static s(a) { return [a, this === P] } }
class Q extends P { #h = 2; constructor(x) { super(x); this.z = this.#h } m(t) { return super.m(t) + '!' } k() { return this.#h++ } }
function show(x, depth = 0) {
  if (typeof x === 'string') return JSON.stringify(x)
  if (typeof x === 'bigint') return x + 'n'
  if (Object.is(x, -0)) return '-0'
  if (typeof x === 'function') return 'function'
  if (typeof x !== 'object' || x === null) return String(x)
  if (x instanceof Error) return x.name + ':' + x.message + ':' + (x.stack ?? '').replace(/\\n/g, '|')
  if (x === G) return 'G'
  if (depth > 2) return '...'
  if (Array.isArray(x)) return '[' + x.map((y) => show(y, depth + 1)).join() + ']'
  return '{' + Object.keys(x).map((k) => k + ':' + show(x[k], depth + 1)).join() + '}'
}
const L = (x) => { if (log.length < 3000) { let s; try { s = show(x) } catch (e) { s = '!' + e } log.push(s.slice(0, 400)) } }
const h = (x, y) => { tick(); return x < y ? x : y }
function v(...all) { return all.length + (arguments.length > 1 ? arguments[1] : all[0]) }
";

const FOOT: &str = "
export default () => {
  for (const f of [FUNCTIONS]) for (const [a, b] of [[1, 2], [0.5, 'x'], [null, {}], [2147483647, -1], [G, [1]], [undefined, 3n]]) {
    N = 0; F.length = 0
    try { L(f(a, b)) } catch (e) { L(e) }
    for (const g of F.slice(0, 8)) { try { L(g(1)) } catch (e) { L(e) } }
  }
  return log.join('\\n')
}
";

const LITERALS: [&str; 30] = [
    "0",
    "1",
    "-1",
    "2",
    "7",
    "0.5",
    "-0",
    "1.5",
    "2147483647",
    "-2147483648",
    "4294967295",
    "1e20",
    "NaN",
    "Infinity",
    "'a'",
    "'12'",
    "''",
    "null",
    "undefined",
    "true",
    "false",
    "3n",
    "[1,2]",
    "{}",
    "G",
    "'longer text'",
    "new P(1)",
    "/x/g",
    "Symbol.iterator",
    "P",
];

struct Generator {
    state: u64,
}

impl Generator {
    /// xorshift64*
    fn next(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, count: usize) -> usize {
        (self.next() % count as u64) as usize
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    fn name(&mut self, names: &[String]) -> String {
        names[self.below(names.len())].clone()
    }

    fn literal(&mut self) -> &'static str {
        self.pick(&LITERALS)
    }

    fn expression(&mut self, depth: usize, names: &[String]) -> String {
        if depth == 0 {
            return if self.below(3) > 0 { self.name(names) } else { self.literal().to_owned() };
        }
        let d = depth - 1;
        let key = ["x", "y", "g", "z", "length", "q"][self.below(6)];
        match self.below(42) {
            0..=6 => {
                let operator = self.pick(&["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", ">>>", "+", "-", "*", "**"]);
                let (left, right) = (self.expression(d, names), self.expression(d, names));
                format!("(({left}) {operator} ({right}))")
            }
            7 | 8 => {
                let operator = self.pick(&["<", "<=", ">", ">=", "==", "!=", "===", "!==", "in", "instanceof"]);
                let (left, right) = (self.expression(d, names), self.expression(d, names));
                format!("(({left}) {operator} ({right}))")
            }
            9 => format!("(({}) ? {} : {})", self.expression(d, names), self.expression(d, names), self.expression(d, names)),
            10 | 11 => {
                let operator = self.pick(&["-", "+", "!", "~", "typeof ", "void ", "!"]);
                format!("({operator}({}))", self.expression(d, names))
            }
            12 => format!("({}{})", self.name(names), self.pick(&["++", "--"])),
            13 => format!("({}{})", self.pick(&["++", "--"]), self.name(names)),
            14 | 15 => {
                let operator = self.pick(&["=", "+=", "-=", "*=", "|=", "??=", "&&=", "%="]);
                format!("({} {operator} {})", self.name(names), self.expression(d, names))
            }
            16 => format!("o.{key}"),
            17 => format!("(o.{key} {} {})", self.pick(&["=", "+=", "="]), self.expression(d, names)),
            18 => format!("(o.{key}{})", self.pick(&["++", "--"])),
            19 => format!("a[{}]", self.expression(d, names)),
            20 => format!("(a[{}] {} {})", self.expression(0, names), self.pick(&["=", "+="]), self.expression(d, names)),
            21 => format!("h({}, {})", self.expression(d, names), self.expression(d, names)),
            22 => format!("o.m({})", self.expression(d, names)),
            23 => format!("({}{}({}))", self.expression(d, names), self.pick(&["&&", "||"]), self.expression(d, names)),
            24 => format!("(() => {})()", self.expression(d, names).replace("{}", "({})")),
            25 => format!("Math.{}({})", self.pick(&["floor", "abs", "max", "min", "sqrt"]), self.expression(d, names)),
            26 => format!("[{}, ...a.slice(0, 3), {}]", self.expression(d, names), self.expression(d, names)),
            27 => format!("({})?.{key}", self.expression(d, names)),
            28 => format!("new {}({})", self.pick(&["P", "Q"]), self.expression(d, names)),
            29 => format!("new Q({}).{}({})", self.expression(0, names), self.pick(&["m", "k"]), self.expression(d, names)),
            30 => format!("`${{{}}}-${{{}}}`", self.expression(d, names), self.name(names)),
            31 => format!("({{ {key}: {}, ...o, [{}]: 1 }})", self.expression(d, names), self.expression(0, names)),
            32 => format!("P.s({})", self.expression(d, names)),
            33 => format!("v({}, {})", self.expression(d, names), self.expression(d, names)),
            34 => format!(
                "String({}).{}",
                self.name(names),
                self.pick(&["length", "charCodeAt(0)", "slice(1)", "indexOf('a')", "toUpperCase()"])
            ),
            35 => format!(
                "a.{}",
                self.pick(&["length", "push(1)", "pop()", "indexOf(1)", "join()", "map((x) => x)", "at(-1)", "shift()"])
            ),
            36 => format!("t[{}]", self.expression(d, names)),
            37 => format!("(t[{}] = {})", self.expression(0, names), self.expression(d, names)),
            38 => format!("({}, {})", self.expression(d, names), self.expression(d, names)),
            39 => format!("(delete o.{key})"),
            40 => format!("(({}) ?? {})", self.expression(d, names), self.expression(d, names)),
            _ => format!("({}{})", if self.below(20) > 0 { "shared" } else { "late" }, self.pick(&["", "++", " += 1", " = 0"])),
        }
    }

    fn block(&mut self, depth: usize, names: &[String], in_loop: bool) -> String {
        (0..1 + self.below(3)).map(|_| self.statement(depth, names, in_loop)).collect::<Vec<_>>().join("\n")
    }

    fn statement(&mut self, depth: usize, names: &[String], in_loop: bool) -> String {
        let inner = depth.saturating_sub(1);
        match self.below(if depth > 0 { 22 } else { 9 }) {
            0..=2 => {
                let operator = self.pick(&["=", "+=", "-=", "*=", "="]);
                format!("{} {operator} {};", self.name(names), self.expression(3, names))
            }
            3 => format!("L({});", self.expression(3, names)),
            4 if in_loop => self.pick(&["break;", "continue;", ";"]).to_owned(),
            4 | 5 => format!("s += {}; if (s.length > 300) s = '';", self.expression(2, names)),
            6 => {
                let variable = self.name(names);
                format!("{{ let w2 = {}; F.push((x) => (w2 += x, {variable})); {variable} = w2 }}", self.expression(2, names))
            }
            7 if self.below(5) == 0 => format!("return {};", self.expression(2, names)),
            8 if self.below(6) == 0 => format!("if ({}) throw {};", self.expression(1, names), self.expression(1, names)),
            7 | 8 => format!("o.{} = {};", self.pick(&["x", "y", "z"]), self.expression(2, names)),
            9 | 10 => {
                let (condition, then, otherwise) =
                    (self.expression(2, names), self.block(inner, names, in_loop), self.block(inner, names, in_loop));
                format!("if ({condition}) {{ {then} }} else {{ {otherwise} }}")
            }
            11..=13 => {
                let index = format!("k{depth}");
                let mut inside = names.to_vec();
                inside.push(index.clone());
                let count = 2 + self.below(5);
                // The body may change its own counter: the tick ends that.
                format!("for (let {index} = 0; {index} < {count}; {index}++) {{ tick(); {} }}", self.block(inner, &inside, true))
            }
            14 => {
                let finally =
                    if self.below(3) == 0 { format!("finally {{ {} }}", self.block(inner, names, false)) } else { String::new() };
                format!(
                    "try {{ {} }} catch (e) {{ L(e); {} }} {finally}",
                    self.block(inner, names, in_loop),
                    self.block(inner, names, in_loop)
                )
            }
            15 | 16 => {
                let of = self.pick(&["a", "[1, 2.5, 's']", "new Set([1, 2])", "'ab'", "G", "Object.entries(o)", "t"]);
                let mut inside = names.to_vec();
                inside.push("q".to_owned());
                format!("for ({} q of {of}) {{ tick(); {} }}", self.pick(&["const", "let"]), self.block(inner, &inside, true))
            }
            17 => format!("for (const q in o) {{ tick(); L(q); {} }}", self.block(inner, names, true)),
            18 => {
                let (value, first, second) =
                    (self.expression(2, names), self.block(inner, names, true), self.block(inner, names, true));
                format!("switch ({value}) {{ case 1: {first} case 'a': {second} default: L(1) }}")
                    .replace("continue;", if in_loop { "continue;" } else { ";" })
            }
            19 => format!("while (h({}, 3) < 2) {{ tick(); {} }}", self.name(names), self.block(inner, names, true)),
            20 => {
                let (first, second) = (self.name(names), self.name(names));
                format!("[{first}, {second} = 5] = [{}, {second}];", self.expression(1, names))
            }
            _ => format!("{{ const {{ x: x1 = 3, ...rest }} = o; L(rest); {} += x1 }}", self.name(names)),
        }
    }

    fn function(&mut self, index: usize) -> String {
        let names: Vec<String> = ["p", "q0", "u", "w", "s", "shared"].iter().map(|name| (*name).to_owned()).collect();
        let (first, second) = (self.literal(), self.literal());
        let body = format!("{}\n{}", self.block(2, &names, false), self.block(2, &names, false));
        let uses_arguments = if self.below(6) == 0 { "L(arguments.length); " } else { "" };
        let parameters = self.pick(&["p, q0", "p, q0 = 4", "p, q0", "p, q0, ...others"]);
        format!(
            "function f{index}({parameters}) {{ let u = {first}, w = {second}, s = ''; {uses_arguments}const a = [1, 2.5, 'z'], t = new Float64Array(4)
const o = {{ x: 1, y: 'k', get g() {{ tick(); if (N % 11 === 0) throw 'gg'; return N }}, set g(n) {{ w = n }}, m(n) {{ return n + this.x }} }}
{body}
return [p, q0, u, w, s, a, o.x] }}\n"
        )
    }
}
