// Runs cases of the language on a sandbox engine, each in a fresh instance, and says what came of each.
import { unreachable } from '../../shared/assert.ts'
import { runLimits } from '../../sandbox-host/sandbox-engine.ts'
import type { RunLimits, SandboxEngine } from '../../sandbox-host/sandbox-engine.ts'
import type { ConformanceCase } from './cases.ts'

export type ConformanceResult = { id: string; folder: string; isPassed: boolean; got: string }

/** Cases end at once or never should: a hundredth of a tier's fuel is plenty. */
const caseLimits: RunLimits = { ...runLimits('basic'), fuel: 50_000_000 }

/** Cases in the engine at once; below its queue. */
const parallel = 8

/**
 * Takes a program and says whether it parses as a script. Nothing of it is to run, so it throws before; a directive must stay the first,
 * so such a program does run.
 */
const parserAgent = `const stop = {}
globalThis.stop = stop
const isDirective = /^(?:\\s|\\/\\/.*|\\/\\*[^]*?\\*\\/)*['"]/
export default (source) => {
  try {
    (0, eval)(isDirective.test(source) || source.startsWith('#!') ? source : 'throw stop;\\n' + source)
    return 'parses'
  } catch (error) {
    return error instanceof SyntaxError ? 'refused: ' + error.message : 'parses'
  }
}`

/** Takes the body of a function; sloppy, as the table's authors meant it. The rest of what they expect of their page is here. */
const featureAgent = `globalThis.global = globalThis
globalThis.__createIterableObject = (values, { return: end, throw: fail } = {}) => {
  let at = 0
  const iterator = { next: () => (at < values.length ? { value: values[at++], done: false } : { value: undefined, done: true }), return: end, throw: fail }
  return { [Symbol.iterator]: () => iterator }
}
export default (body) => new Promise((resolve) => {
  setTimeout(() => resolve('nothing came in 10 s'), 10_000)
  globalThis.asyncTestPassed = () => resolve('true')
  try {
    const result = new Function('asyncTestPassed', body)(asyncTestPassed)
    // A case that will call asyncTestPassed returns nothing.
    if (result !== undefined || !body.includes('asyncTestPassed')) resolve(result ? 'true' : String(result))
  } catch (error) {
    resolve(String(error))
  }
})`

/** A case as an agent of its own, whose function is there when the agent is prepared, and is compiled where scripts are. */
const featureScript = (body: string) => `let test, refusal
try {
  test = new Function('asyncTestPassed', ${JSON.stringify(body)})
} catch (error) {
  refusal = error
}
${featureAgent.replace("new Function('asyncTestPassed', body)(asyncTestPassed)", 'run()')}
const run = () => {
  if (refusal) throw refusal
  return test(asyncTestPassed)
}`

/** Cases that run code; each is prepared. @returns results in the order of the cases */
export async function runPrepared(engine: SandboxEngine, cases: readonly ConformanceCase[]): Promise<ConformanceResult[]> {
  const results: ConformanceResult[] = []
  for (const given of cases) {
    if (given.kind !== 'feature') continue
    const handle = await prepared(engine, featureScript(given.body))
    const got = await answer(engine, handle, given.body)
    engine.drop(handle)
    results.push({ id: given.id, folder: given.folder, isPassed: got === 'true', got })
  }
  return results
}

/** @returns results in the order of the cases */
export async function runCases(engine: SandboxEngine, cases: readonly ConformanceCase[]): Promise<ConformanceResult[]> {
  const parser = await prepared(engine, parserAgent)
  const feature = await prepared(engine, featureAgent)
  const results: ConformanceResult[] = []
  let next = 0
  const worker = async () => {
    for (let i = next++; i < cases.length; i = next++) {
      const given = cases[i]
      if (given) results[i] = await runCase(engine, given, { parser, feature })
    }
  }
  await Promise.all(Array.from({ length: parallel }, worker))
  engine.drop(parser)
  engine.drop(feature)
  return results
}

async function runCase(
  engine: SandboxEngine,
  given: ConformanceCase,
  { parser, feature }: { parser: number; feature: number },
): Promise<ConformanceResult> {
  const { id, folder } = given
  switch (given.kind) {
    case 'program': {
      const got = given.goal === 'script' ? await answer(engine, parser, given.source) : await moduleAnswer(engine, given.source)
      return { id, folder, isPassed: given.isValid ? got === 'parses' : got.startsWith('refused'), got }
    }
    case 'feature': {
      const got = await answer(engine, feature, given.body)
      return { id, folder, isPassed: got === 'true', got }
    }
    default:
      return unreachable(given)
  }
}

async function answer(engine: SandboxEngine, handle: number, text: string): Promise<string> {
  const request = { input: JSON.stringify(text), seed: 0, startTimeMs: Date.UTC(2024, 0, 1), limits: caseLimits }
  const { status, output, error } = await engine.run(handle, request)
  if (status !== 'completed') return `${status}: ${error?.message ?? ''}`
  // The agents above return text.
  return String(JSON.parse(output ?? 'null'))
}

/** A module is deployed: whatever else is wrong with it, a syntax error is found first. */
async function moduleAnswer(engine: SandboxEngine, source: string): Promise<string> {
  const outcome = await engine.prepare('script', Buffer.from(source), caseLimits)
  if (outcome.ok) engine.drop(outcome.handle)
  return !outcome.ok && outcome.message.startsWith('SyntaxError') ? `refused: ${outcome.message}` : 'parses'
}

async function prepared(engine: SandboxEngine, agent: string): Promise<number> {
  const outcome = await engine.prepare('script', Buffer.from(agent), caseLimits)
  if (!outcome.ok) throw new Error(outcome.message)
  return outcome.handle
}
