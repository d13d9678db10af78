// What the language says, as cases that packages of the npm registry ship; test262 itself is in none. `test262-parser-tests`, of the
// same committee, has 3,380 programs that must parse or must be refused (and 1,981 of them written in another way);
// `compat-table` has 871 functions that must return true, one for each feature of ES5 to ES2019.
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { z } from 'zod'

export type ConformanceCase = {
  /** Suite, folder and name; stable between runs. */
  id: string
  folder: string
} & (
  | { kind: 'program'; source: string; goal: 'script' | 'module'; isValid: boolean }
  /** Body of a function that returns true, or calls asyncTestPassed. */
  | { kind: 'feature'; body: string }
)

const require = createRequire(import.meta.url)

/** Every case there is, in an order that does not change. */
export function conformanceCases(): ConformanceCase[] {
  return [...programs(), ...features()]
}

function programs(): ConformanceCase[] {
  const suite = dirname(require.resolve('test262-parser-tests/package.json'))
  const validOf = { pass: true, 'pass-explicit': true, fail: false, early: false }
  return Object.entries(validOf).flatMap(([name, isValid]) =>
    readdirSync(join(suite, name))
      .toSorted()
      .map((file) => ({
        id: `parser/${name}/${file}`,
        folder: `parser/${name}`,
        kind: 'program' as const,
        source: readFileSync(join(suite, name, file), 'utf8'),
        goal: file.endsWith('.module.js') ? ('module' as const) : ('script' as const),
        isValid,
      })),
  )
}

const execSchema = z.custom<(...args: never[]) => unknown>((value) => typeof value === 'function')
const testSchema = z.object({
  name: z.string(),
  exec: execSchema.optional(),
  subtests: z.array(z.object({ name: z.string(), exec: execSchema })).optional(),
})

function features(): ConformanceCase[] {
  return ['es5', 'es6', 'es2016plus'].flatMap((edition) => {
    const { tests } = z.object({ tests: z.array(testSchema) }).parse(require(`compat-table/data-${edition}`))
    const folder = `features/${edition}`
    return tests.flatMap(({ name, exec, subtests = exec ? [{ name: '', exec }] : [] }) =>
      subtests.map((subtest) => ({
        id: [folder, plain(name), plain(subtest.name)].filter(Boolean).join('/'),
        folder,
        kind: 'feature' as const,
        body: bodyOf(subtest.exec.toString()),
      })),
    )
  })
}

/** The table writes what may not parse into a comment of an empty function. */
function bodyOf(text: string): string {
  const [, comment] = /^[^{]*\{\s*\/\*([^]*)\*\/\s*\}$/.exec(text) ?? []
  return comment ?? `return (${text})()`
}

/** Names hold markup. */
function plain(name: string): string {
  return name
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('/', '∕')
    .trim()
}
