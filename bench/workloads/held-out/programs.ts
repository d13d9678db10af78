// Programs that this platform was not tuned for: libraries of npm and programs of a public benchmark suite, each an agent's script that
// esbuild bundles from the exact version in package-lock.json, each with an input that takes a baseline interpreter 5 to 60 ms. They are in
// two halves, and which is which was written down before anything was measured: those of `tuning` may be profiled to find what the
// engine should do better; of the `held-out` only the figures are read. Order, names and inputs stay, or figures are of something else.
import { build } from 'esbuild'
import { fileURLToPath } from 'node:url'
import { csv, edited, numbers, orders, packageText, toml, xml, yaml } from './inputs.ts'

export type HeldOutProgram = {
  /** Its source is `<name>.js`. */
  name: string
  half: 'tuning' | 'held-out'
  /** What it consists of; the licence's text is in the package, or at the head of the copied file. */
  of: string
  licence: string
  input: () => unknown
}

const spec = (start: number, length: number) => packageText('commonmark-spec', 'spec.txt', start, start + length)
const cities = ['Zürich', 'Lisbon', 'Oslo']

const schema = {
  type: 'object',
  required: ['id', 'name', 'city', 'amount', 'tags'],
  additionalProperties: false,
  properties: {
    id: { type: 'integer', minimum: 1 },
    name: { type: 'string', pattern: '^[A-Z][a-z]+ [A-Z][a-z]+$', maxLength: 16 },
    city: { enum: cities },
    amount: { type: 'number', exclusiveMaximum: 900 },
    tags: { type: 'array', uniqueItems: true, minItems: 1, items: { type: 'string', maxLength: 5 } },
    note: { type: 'string' },
  },
}

const schemaText = `
"""An order"""
type Order { id: ID!, name: String!, city: String!, amount: Float, tags: [Tag!]!, note: String @deprecated(reason: "free text") }
enum Tag { new late gift bulk fragile paid }
input Page { first: Int = 10, after: ID }
interface Node { id: ID! }
type Query { orders(city: String!, page: Page): [Order!]! }
`
const queries = cities.map(
  (city, i) => `
query Cities${i}($after: ID) { ${cities.map((other, j) => `c${j}: orders(city: "${other}", page: { first: ${i + j}, after: $after }) { ...fields tags }`).join('\n')} }
fragment fields on Order { id name city(unknown: "${city}") amount __typename note { text } }
`,
)

const template = (each: string, end: string, money: string, partial: string) => `<h1>{{title}}</h1>
<table>
{{#${each}}}<tr class="{{city}}"><td>{{id}}</td><td>{{name}}</td><td>${money}</td><td>${partial}</td>{{#note}}<td>{{.}}</td>{{/note}}</tr>
{{/${end}}}</table>`

export const heldOutPrograms: HeldOutProgram[] = [
  {
    name: 'acorn',
    half: 'tuning',
    of: 'acorn',
    licence: 'MIT',
    input: () => ({ source: packageText('highlight.js', 'lib/languages/python.js') }),
  },
  { name: 'decimal', half: 'tuning', of: 'decimal.js', licence: 'MIT', input: () => ({ digits: 120 }) },
  {
    name: 'diff',
    half: 'tuning',
    of: 'diff',
    licence: 'BSD-3-Clause',
    input: () => ({ before: spec(20_000, 12_000), after: edited(spec(20_000, 12_000)) }),
  },
  { name: 'fast-xml-parser', half: 'tuning', of: 'fast-xml-parser', licence: 'MIT', input: () => ({ xml: xml(60) }) },
  {
    name: 'handlebars',
    half: 'tuning',
    of: 'handlebars',
    licence: 'MIT',
    input: () => ({ template: template('each records', 'each', '{{money amount}}', '{{> tags}}'), records: orders(120) }),
  },
  {
    name: 'highlight',
    half: 'tuning',
    of: 'highlight.js',
    licence: 'BSD-3-Clause',
    input: () => ({ source: packageText('mustache', 'mustache.js', 0, 6_000), styles: packageText('highlight.js', 'styles/vs2015.css') }),
  },
  {
    name: 'immer',
    half: 'tuning',
    of: 'immer',
    licence: 'MIT',
    input: () => ({
      records: orders(100),
      changes: numbers(150).map((number) => ({ id: 1 + (number % 100), amount: number % 7, tag: 'seen' })),
    }),
  },
  { name: 'js-yaml', half: 'tuning', of: 'js-yaml', licence: 'MIT', input: () => ({ yaml: yaml(50) }) },
  { name: 'lodash', half: 'tuning', of: 'lodash', licence: 'MIT', input: () => ({ records: orders(300) }) },
  { name: 'markdown-it', half: 'tuning', of: 'markdown-it', licence: 'MIT', input: () => ({ text: spec(10_000, 8_000) }) },
  { name: 'papaparse', half: 'tuning', of: 'papaparse', licence: 'MIT', input: () => ({ text: csv(500) }) },
  { name: 'richards', half: 'tuning', of: 'Octane', licence: 'BSD-3-Clause', input: () => ({ times: 1 }) },
  { name: 'smol-toml', half: 'tuning', of: 'smol-toml', licence: 'BSD-3-Clause', input: () => ({ toml: toml(80) }) },

  { name: 'ajv', half: 'held-out', of: 'ajv', licence: 'MIT', input: () => ({ schema, records: orders(300) }) },
  { name: 'chess', half: 'held-out', of: 'chess.js', licence: 'BSD-2-Clause', input: () => ({ choices: numbers(12) }) },
  { name: 'csv-parse', half: 'held-out', of: 'csv-parse', licence: 'MIT', input: () => ({ text: csv(200) }) },
  {
    name: 'd3-delaunay',
    half: 'held-out',
    of: 'd3-delaunay',
    licence: 'ISC',
    input: () => {
      const random = numbers(600, 11).map((number) => (number % 1_000_000) / 1_000)
      return { points: Array.from({ length: 300 }, (_, i) => [random[2 * i], random[2 * i + 1]]) }
    },
  },
  {
    name: 'fuse',
    half: 'held-out',
    of: 'fuse.js',
    licence: 'Apache-2.0',
    input: () => ({ records: orders(150), queries: ['turing', 'hoper', 'zurich', 'dikstra', 'lisbn'] }),
  },
  { name: 'graphql', half: 'held-out', of: 'graphql', licence: 'MIT', input: () => ({ schemaText, queries: [...queries, ...queries] }) },
  { name: 'marked', half: 'held-out', of: 'marked', licence: 'MIT', input: () => ({ text: spec(30_000, 8_000) }) },
  {
    name: 'minisearch',
    half: 'held-out',
    of: 'minisearch',
    licence: 'MIT',
    input: () => ({
      documents: spec(40_000, 20_000)
        .split('\n\n')
        .map((text, id) => ({ id, title: text.slice(0, 30), text })),
      queries: ['list item', 'indented', 'paragraf', 'html block'],
    }),
  },
  {
    name: 'mustache',
    half: 'held-out',
    of: 'mustache',
    licence: 'MIT',
    input: () => ({ template: template('records', 'records', '{{amount}}', '{{> tags}}'), records: orders(200) }),
  },
  { name: 'navier-stokes', half: 'held-out', of: 'Octane', licence: 'MIT', input: () => ({ size: 32, frames: 1, iterations: 10 }) },
  { name: 'pako', half: 'held-out', of: 'pako', licence: 'MIT AND Zlib', input: () => ({ text: spec(60_000, 12_000) }) },
  {
    name: 'postcss',
    half: 'held-out',
    of: 'postcss',
    licence: 'MIT',
    input: () => ({
      css: ['github', 'vs2015', 'xcode', 'idea'].map((name) => packageText('highlight.js', `styles/${name}.css`)).join('\n'),
    }),
  },
  {
    name: 'splay',
    half: 'held-out',
    of: 'Octane',
    licence: 'BSD-3-Clause',
    input: () => ({ size: 300, modifications: 80, depth: 2, runs: 4 }),
  },
  { name: 'tweetnacl', half: 'held-out', of: 'tweetnacl', licence: 'Unlicense', input: () => ({ text: spec(80_000, 3_000) }) },
]

/** @returns one ES module with a default export, as an author would deploy it */
export async function bundleProgram({ name }: HeldOutProgram): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(`${name}.js`, import.meta.url))],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    mainFields: ['module', 'main'],
    conditions: ['browser', 'import', 'default'],
    // What papaparse asks for when it is called on Node; an agent's is not.
    external: ['stream'],
    // Some read it; an agent has none.
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'error',
    write: false,
  })
  return outputFiles[0]?.text ?? ''
}
