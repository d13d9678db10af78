// Where QuickJS's C code is changed for speed (`script-module/patches/1xx-`), scripts give what they give on V8.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runLimits } from '../../sandbox-host/sandbox-engine.ts'
import type { SandboxEngine } from '../../sandbox-host/sandbox-engine.ts'
import { createNativeEngine, hasNativeEngine } from '../fakes/native-engine.ts'

/** Bodies of functions, each returning something that JSON holds; run as sloppy code in both. */
const bodies: Record<string, string> = {
  'methods and lengths of arrays and strings': `
    const slow = []; slow[5_000_000] = 1
    Object.defineProperty(Array.prototype, 'second', { configurable: true, get() { return this[1] } })
    Object.defineProperty(String.prototype, 'last', { configurable: true, get() { return this[this.length - 1] } })
    const own = [1, 2]; own.push = function (x) { return 'own ' + x }; own['01'] = 'named'
    const wide = 'aé漢'; const rope = 'x'.repeat(9000) + wide.repeat(9000)
    const result = [slow.length, [1, 2].second, 'abc'.last, own.push(3), own['01'], own['1'], 'ab'.length, ''.length, wide.length, rope.length, rope.last,
      [].missing, 'a'.missing, 'a'['0'], 'a'['1'], 'a'[-1], 'abc'[1], wide[2], rope[9001], new String('ab').length, 'ab'.constructor === String]
    delete Array.prototype.second; delete String.prototype.last
    String.prototype.length2 = 7; const inherited = 'x'.length2; delete String.prototype.length2
    class Sub extends Array { get push() { return () => 'sub' } }
    return [...result, inherited, new Sub().push(1), Array.isArray(new Sub())]`,
  'calls of functions in C and what is none': `
    const told = []
    for (const call of [() => undefined(), () => ({}).x(), () => Math.max(1, 5, 3), () => parseInt.call(null, '7z'), () => [].push.apply({ length: 2 }, [1]),
      () => Symbol(), () => new Symbol(), () => new Math.max(), () => Array(3), () => Date.length, () => [3, 1, 2].sort().map(String),
      () => Map()]) { try { told.push(String(call())) } catch (error) { told.push(error.name) } }
    return told`,
  'new properties, own and inherited': `
    'use strict'
    const told = []
    const attempt = (work) => { try { told.push(work()) } catch (error) { told.push(error.name) } }
    class Parent { set x(value) { this.kept = value } get y() { return 1 } }
    class Child extends Parent { constructor() { super(); this.x = 1; this.z = 2 } }
    attempt(() => Object.entries(new Child()))
    attempt(() => { new Child().y = 3 })
    attempt(() => { const o = Object.create(Object.freeze({ a: 1 })); o.a = 2 })
    attempt(() => { const o = Object.create(new Proxy({}, { set(t, k, v, r) { told.push('trap ' + k); return Reflect.defineProperty(r, k, { value: v, enumerable: true }) } })); o.q = 2; return Object.keys(o) })
    attempt(() => { const o = Object.preventExtensions({}); o.a = 1 })
    attempt(() => { const o = Object.create([]); o.length2 = 1; return [Object.keys(o), o.length] })
    attempt(() => { const o = Object.create(new Uint8Array(2)); o.foo = 1; o['-0'] = 5; return Object.keys(o) })
    attempt(() => { const o = {}; o.b = 1; o[2] = 1; o.a = 1; o[1] = 1; return Object.keys(o) })
    attempt(() => ({ a: 1, get a() { return 2 } }).a)
    attempt(() => ({ get a() { return 2 }, a: 1 }).a)
    attempt(() => Object.keys({ b: 1, a: 2, b: 3 }))
    attempt(() => { function F() { this.a = 1; this.b = this }; const f = new F(); return [Object.keys(f), f.b === f, F.prototype.constructor === F] })
    attempt(() => { Object.prototype.seen = 1; const o = {}; o.seen = 2; delete Object.prototype.seen; return [o.seen, Object.keys(o)] })
    attempt(() => { Object.defineProperty(Object.prototype, 'caught', { configurable: true, set() { told.push('setter') } }); const o = {}; o.caught = 1; delete Object.prototype.caught; return Object.keys(o) })
    attempt(() => { const o = JSON.parse('{"a":1,"__proto__":{"b":2},"a":3,"1":4}'); return [Object.keys(o), o.a, o.b] })
    attempt(() => { const many = {}; for (let i = 0; i < 200; i++) many['k' + i] = i; return [Object.keys(many).length, many.k77] })
    attempt(() => { const list = []; for (let i = 0; i < 50; i++) { const o = { a: i }; o.b = i; if (i % 3) o.c = i; delete o.a; o.d = 1; list.push(Object.keys(o).join()) } return [...new Set(list)] })
    attempt(() => { const a = Array.from({ length: 3 }, (_, i) => i); Object.freeze(a); a[3] = 1 })
    return told`,
  'equality of every pair': `
    const text = 'ab'; const made = ['a', 'b'].join('')
    const values = [undefined, null, true, false, 0, -0, 1, 1.5, NaN, Infinity, '', '0', '1', 'a', text, made, 'a' + 'b'.repeat(3), 'abbb', 'é', '漢', 1n, 2n ** 70n, Symbol.iterator, {}, [], [1], () => 0, new String('a'), new Date(0)]
    return values.map((a) => values.map((b) => [a == b, a != b, a === b, a !== b].map(Number).join('')).join(' '))`,
  'strings of one character': `
    const letters = Array.from({ length: 300 }, (_, i) => String.fromCharCode(i))
    const o = {}; for (const letter of letters) o[letter] = (o[letter] ?? 0) + 1
    const text = letters.join('')
    let rebuilt = ''; for (let i = 0; i < text.length; i++) rebuilt += text[i]
    let grown = text[65]; grown += text[66]; grown += text[67]
    const symbol = Symbol('a'[0])
    return [Object.keys(o).length, Object.keys(o).slice(0, 12), rebuilt === text, grown, text[65], 'A' in o, o['5'], o[5], symbol.description, symbol.toString(), text.charAt(200) === text.slice(200, 201), [...'aé漢😀'].length, 'a-b'.split(''), 'xyz'.substring(1, 2)]`,
  spread: `
    const told = []
    const source = { b: 1, a: 2, [Symbol.iterator]: 3, 1: 4, get g() { told.push('getter'); return 5 } }
    Object.defineProperty(source, 'hidden', { value: 6, enumerable: false })
    const { b, ...rest } = source
    const plain = { x: 1, y: 2 }; delete plain.x; plain.z = 3
    class C { p = 1; #q = 2; get r() { return 1 } }
    return [Object.keys({ ...source }), Object.keys(rest), { ...plain }, { z: 0, ...plain, y: 9 }, { ...[1, 2] }, { ...null, ...undefined, ...1 }, { ...new C() },
      Object.getOwnPropertySymbols({ ...source }).length, Object.getOwnPropertyDescriptor({ ...Object.freeze({ k: 1 }) }, 'k'), { ...{ ['__proto__']: 1 } }, { 0: 'z', ...plain }, told]`,
}

/** Lehmer's generator, the same cases in each run. */
function generator(seed: number) {
  let state = seed
  return (below: number) => (state = (state * 16_807) % 2_147_483_647) % below
}

function regexpCases(count: number): [pattern: string, flags: string, text: string][] {
  const below = generator(20_260_604)
  const of = (list: readonly string[]) => list[below(list.length)] ?? ''
  const atoms = [
    'a',
    'b',
    'B',
    'k',
    's',
    '0',
    '-',
    '.',
    '[a-c]',
    '[^a]',
    '[^\\d]',
    '\\d',
    '\\w',
    '\\W',
    '\\s',
    '\\S',
    '\\b',
    '\\B',
    '^',
    '$',
    'é',
    '[à-ÿ]',
    '漢',
    '[漢-龥x]',
    '(?=b)',
    '(?!a)',
    '(?<=a)',
    '(?<!b)',
    '(?:)',
    '\\u212a',
    '\\u017f',
  ]
  const quantifiers = ['', '', '', '*', '+', '?', '*?', '+?', '{2}', '{0,2}', '{1,}?']
  // Few, or the search of one takes for ever.
  const ofGroups = ['', '', '?', '{1,2}']
  const term = (depth: number): string => {
    const kind = below(10)
    if (depth > 0 && kind === 0) return `(${pattern(depth - 1)})${of(ofGroups)}`
    if (depth > 0 && kind === 1) return `(?:${pattern(depth - 1)})${of(ofGroups)}`
    if (depth > 0 && kind === 2) return `(?${of(['=', '!', '<=', '<!'])}${pattern(depth - 1)})`
    const atom = of(atoms)
    return /^(\(|\^|\$|\\b|\\B)/.test(atom) && atom !== '(?:)' ? atom : atom + of(quantifiers)
  }
  const pattern = (depth: number): string =>
    Array.from({ length: 1 + below(2) }, () => Array.from({ length: 1 + below(3) }, () => term(depth)).join('')).join('|')
  const letters = ['a', 'b', 'c', 'B', 'K', 'k', 's', 'S', '0', '7', '-', ' ', '\n', 'é', 'É', 'ÿ', 'x']
  const wide = [...letters, '漢', '龥', '\u212a', '\u017f']
  // With the flag u, QuickJS and V8 do not agree on \\B inside of a pair.
  const halves = [...wide, '😀', '\ud83d', '\ude00']
  return Array.from({ length: count }, () => {
    const source = pattern(2)
    const flags = of(['', 'g', 'i', 'gi', 'm', 'gm', 'y', 's', 'gu', 'giu', 'u', 'iu'])
    const alphabet = below(3) > 0 ? letters : flags.includes('u') ? wide : halves
    return [source, flags, Array.from({ length: below(16) }, () => of(alphabet)).join('')]
  })
}

const regexpBody = `
  return input.map(([pattern, flags, text]) => {
    let regexp
    try { regexp = new RegExp(pattern, flags) } catch (error) { return error.name }
    const told = []
    for (let from = 0; from < 3; from++) {
      regexp.lastIndex = from
      const found = regexp.exec(text)
      told.push(found && [found.index, [...found], regexp.lastIndex])
    }
    regexp.lastIndex = 0
    return [told, text.replace(regexp, '<$&>'), text.split(regexp).length, text.search(regexp)]
  })`

describe.skipIf(!hasNativeEngine)('as on V8', () => {
  let engine: SandboxEngine
  beforeAll(async () => {
    engine = await createNativeEngine()
  })
  afterAll(() => engine.close())

  async function inSandbox(body: string, input: unknown): Promise<unknown> {
    const source = `const run = new Function('input', ${JSON.stringify(body)})\nexport default (input) => run(input)`
    const prepared = await engine.prepare('script', Buffer.from(source), runLimits('basic'))
    if (!prepared.ok) throw new Error(prepared.message)
    const outcome = await engine.run(prepared.handle, { input: JSON.stringify(input), seed: 0, startTimeMs: 0, limits: runLimits('basic') })
    if (outcome.status !== 'completed') throw new Error(`${outcome.status}: ${outcome.error?.message}`)
    return JSON.parse(outcome.output ?? 'null')
  }
  // oxlint-disable-next-line no-implied-eval -- the same body on the engine that runs the tests
  const onV8 = (body: string, input: unknown): unknown => JSON.parse(JSON.stringify(new Function('input', body)(structuredClone(input))))

  test.each(Object.entries(bodies))('%s', async (_name, body) => {
    expect(await inSandbox(body, null)).toEqual(onV8(body, null))
  })

  test('4,000 regular expressions find the same in the same texts', async () => {
    const cases = regexpCases(4_000)
    for (let from = 0; from < cases.length; from += 500) {
      const some = cases.slice(from, from + 500)
      expect(await inSandbox(regexpBody, some)).toEqual(onV8(regexpBody, some))
    }
  })
})
