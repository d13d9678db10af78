// Cases that are known to fail, by reason: what the engine (QuickJS) does otherwise, what it lacks by design, and where the suites,
// of 2017 and 2019, are older than the language. A case that fails and is not among them is news, and so is one that passes and is.
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { ConformanceResult } from './run-cases.ts'

const fileSchema = z.record(z.string().regex(/^(engine|by design|outdated|packaging): /), z.array(z.string()).min(1))

/** Reasons by the id of the case. */
export function knownFailures(): Map<string, string> {
  const text = readFileSync(new URL('./known-failures.json', import.meta.url), 'utf8')
  const reasons = Object.entries(fileSchema.parse(JSON.parse(text)))
  return new Map(reasons.flatMap(([reason, ids]) => ids.map((id) => [id, reason] as const)))
}

/** One line for each case whose result is not the known one. */
export function news(results: readonly ConformanceResult[], known: ReadonlyMap<string, string>): string[] {
  return results.flatMap(({ id, isPassed, got }) => {
    if (isPassed === !known.has(id)) return []
    return [isPassed ? `${id} passes now` : `${id} fails now: ${got.slice(0, 200)}`]
  })
}
