//! Programs by chance, from a seed: what people write, and what nobody writes, in short loops. Each tells all that it does as its output, with
//! names, messages and stacks of what is thrown. `grammar.rs` has the text that they are made of.
mod grammar;

use grammar::{
    ASYNC_EXPRESSIONS, ASYNC_STATEMENTS, EXPRESSIONS, FOOT, GENERATOR_EXPRESSIONS, HEAD, LEAVES, LITERALS, PARAMETERS,
    SLOPPY_STATEMENTS, STATEMENTS,
};
use std::ops::Range;

/// One script of a program for each seed, which run one after the other; the same seeds give the same script.
pub fn programs(seeds: Range<u64>) -> String {
    let mut source = HEAD.to_owned();
    let mut groups = Vec::new();
    for seed in seeds {
        let mut generator = Generator { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, labels: 0 };
        for _ in 0..4 {
            generator.next();
        }
        let names: Vec<_> = (0..2 + generator.below(3)).map(|index| format!("f{seed}_{index}")).collect();
        for name in &names {
            source += &generator.function(name);
        }
        groups.push(format!("[{}]", names.join(",")));
    }
    source + &FOOT.replace("GROUPS", &groups.join(",\n"))
}

/// What may stand at a place.
#[derive(Clone)]
struct Context {
    /// Variables that can be assigned.
    names: Vec<String>,
    labels: Vec<String>,
    in_loop: bool,
    can_yield: bool,
    can_await: bool,
    is_sloppy: bool,
}

impl Context {
    fn with(&self, name: &str) -> Self {
        let mut inner = self.clone();
        inner.names.push(name.to_owned());
        inner
    }

    /// Of a function or a class inside, which may be strict.
    fn nested(&self) -> Self {
        Self { labels: Vec::new(), in_loop: false, can_yield: false, can_await: false, is_sloppy: false, ..self.clone() }
    }
}

struct Generator {
    state: u64,
    labels: usize,
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

    fn name(&mut self, context: &Context) -> String {
        context.names[self.below(context.names.len())].clone()
    }

    fn expression(&mut self, depth: usize, context: &Context) -> String {
        if depth == 0 {
            return match self.below(8) {
                0..5 => self.name(context),
                5 | 6 => self.pick(LITERALS).to_owned(),
                _ => self.pick(LEAVES).to_owned(),
            };
        }
        let template = if context.can_yield && self.below(8) == 0 {
            self.pick(GENERATOR_EXPRESSIONS)
        } else if context.can_await && self.below(8) == 0 {
            self.pick(ASYNC_EXPRESSIONS)
        } else {
            self.pick(EXPRESSIONS)
        };
        self.fill(template, (0, depth - 1), context)
    }

    fn block(&mut self, depth: usize, context: &Context) -> String {
        (0..1 + self.below(3)).map(|_| self.statement(depth, context) + "\n").collect()
    }

    fn statement(&mut self, depth: usize, context: &Context) -> String {
        match self.below(20) {
            0 if context.in_loop => return self.pick(&["break;", "continue;"]).to_owned(),
            1 if !context.labels.is_empty() => {
                let label = context.labels[self.below(context.labels.len())].clone();
                return format!("{} {label};", self.pick(&["break", "continue"]));
            }
            2 if self.below(4) == 0 => return self.fill("return @e;", (depth, 2), context),
            _ => {}
        }
        let template = if context.is_sloppy && self.below(6) == 0 {
            self.pick(SLOPPY_STATEMENTS)
        } else if context.can_await && self.below(8) == 0 {
            self.pick(ASYNC_STATEMENTS)
        } else {
            self.pick(STATEMENTS)
        };
        if depth == 0 && template.contains('\n') {
            return self.fill("@v = @e;", (0, 2), context);
        }
        let expressions = 1 + self.below(3);
        let filled = self.fill(template, (depth, expressions), context);
        // What is declared is declared for itself.
        let declares = ["const ", "let ", "class ", "function", "late"].iter().any(|word| template.starts_with(word));
        if declares { format!("{{\n{filled}\n}}") } else { filled }
    }

    /// `@e` an expression, `@a` a short one, `@c` one within a function, `@C` statements of one; `@v` a variable, `@k` a key, `@t` a literal;
    /// `@b` statements, `@l` those of a loop, `@q` of a loop over `q`, `@i` a counter and `@I` a loop's statements that know it; `@m` and `@M`
    /// the same of a label; `@n` a small number; `@o` and `@r` operators.
    fn fill(&mut self, template: &str, (depth, expressions): (usize, usize), context: &Context) -> String {
        let mut filled = String::new();
        let mut parts = template.split('@');
        filled += parts.next().unwrap_or("");
        let (counter, mut label) = (format!("k{depth}"), String::new());
        for part in parts {
            let mut characters = part.chars();
            let hole = characters.next().unwrap_or(' ');
            let looped = Context { in_loop: true, ..context.clone() };
            let inner = depth.saturating_sub(1);
            filled += &match hole {
                'e' => self.expression(expressions, context),
                'a' => self.expression(0, context),
                'c' => self.expression(expressions, &context.nested()),
                'C' => self.block(inner, &context.nested()),
                'v' => self.name(context),
                'k' => self.pick(&["x", "y", "g", "z", "length", "q", "m", "n0"]).to_owned(),
                't' => self.pick(LITERALS).to_owned(),
                'n' => self.below(6).to_string(),
                'o' => self.pick(&["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", ">>>", "+", "-", "*", "**"]).to_owned(),
                'r' => self.pick(&["<", "<=", ">", ">=", "==", "!=", "===", "!==", "in", "instanceof"]).to_owned(),
                's' => self.pick(&["=", "+=", "-=", "*=", "|=", "??=", "&&=", "||=", "%=", "<<=", ">>>=", "="]).to_owned(),
                'b' => self.block(inner, context),
                'l' => self.block(inner, &looped),
                'q' => self.block(inner, &looped.with("q")),
                'i' => counter.clone(),
                'I' => self.block(inner, &looped.with(&counter)),
                'm' => {
                    self.labels += 1;
                    label = format!("m{}", self.labels);
                    label.clone()
                }
                'M' => {
                    let mut labelled = looped.with(&counter);
                    labelled.labels.push(label.clone());
                    self.block(inner, &labelled)
                }
                other => other.to_string(),
            };
            filled += characters.as_str();
        }
        filled
    }

    fn function(&mut self, name: &str) -> String {
        let names = ["p", "q0", "u", "w", "s", "shared", "o.x"].iter().map(|name| (*name).to_owned()).collect();
        let plain = Context { names, labels: Vec::new(), in_loop: false, can_yield: false, can_await: false, is_sloppy: false };
        let (opening, context) = match self.below(12) {
            0 | 1 => ("function*", Context { can_yield: true, ..plain }),
            2 => ("async function", Context { can_await: true, ..plain }),
            3 => ("async function*", Context { can_yield: true, can_await: true, ..plain }),
            4..7 => ("function", Context { is_sloppy: true, ..plain }),
            _ => ("function", plain),
        };
        let (first, second) = (self.pick(LITERALS), self.pick(LITERALS));
        let body = self.block(2, &context) + &self.block(2, &context);
        let parameters = self.pick(PARAMETERS);
        let arguments = self.pick(&["", "", "", "L(arguments.length); ", "const all = arguments; L(all[0]); all[1] = 7; "]);
        let text = format!(
            "{opening} {name}({parameters}) {{
let u = {first}, w = {second}, s = ''; {arguments}
const a = [1, 2.5, 'z'], t = new Float64Array(4), i8 = new Int8Array(3), u32 = new Uint32Array(2);
const o = {{ x: 1, y: 'k', get g() {{ tick(); if (N % 11 === 0) throw new Error('gg'); return N }}, set g(n) {{ w = n }}, m(n) {{ return n + this.x }} }};
{body}return [p, q0, u, w, s, a, o.x]\n}}\n"
        );
        if context.is_sloppy { format!("const {name} = (0, eval)({});\n", quoted(&format!("({text})"))) } else { text }
    }
}

/// As text in the program, each line on one of its own.
fn quoted(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(|line| format!("{line:?}")).collect();
    format!("[\n{}\n].join('\\n')", lines.join(",\n"))
}
