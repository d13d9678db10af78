// What a run leaves: one JSON file for each scenario, with machine, versions, commit and load, and the raw samples. Everything that is
// printed or drawn afterwards (`RESULTS.md`, plots, `compare`) is made from these files alone.
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { ScenarioResult } from './scenario.ts'

/** Kept with the code. */
export const resultsDirectory = fileURLToPath(new URL('./results', import.meta.url))
/** Of `--quick`: nobody's truth, and not kept. */
export const quickDirectory = join(resultsDirectory, 'quick')

const cellSchema = z.union([z.string(), z.number(), z.null()])
const axisSchema = z.object({ title: z.string(), scale: z.enum(['linear', 'log']).optional() })

export const resultSchema = z.object({
  scenario: z.string(),
  /** Results from before there was a choice are full ones. */
  scale: z.enum(['quick', 'full']).default('full'),
  at: z.string(),
  seconds: z.number(),
  machine: z.object({
    cpu: z.string(),
    cores: z.number(),
    memoryGiB: z.number(),
    system: z.string(),
    node: z.string(),
    commit: z.string(),
    dirty: z.boolean().optional(),
    loadBefore: z.number(),
    loadAfter: z.number().optional(),
    packages: z.record(z.string(), z.string()).optional(),
  }),
  figures: z.array(
    z.object({
      name: z.string(),
      /** JSON has no NaN: what could not be measured is null, in samples too. */
      value: z.number().nullable(),
      target: z.string().optional(),
      samples: z.array(z.number().nullable()).optional(),
      better: z.enum(['less', 'more']).optional(),
    }),
  ),
  tables: z
    .array(
      z.object({
        title: z.string(),
        columns: z.array(z.string()),
        rows: z.array(z.array(cellSchema)),
        note: z.string().optional(),
      }),
    )
    .default([]),
  charts: z
    .array(
      z.object({
        name: z.string().regex(/^[a-z0-9-]+$/),
        title: z.string(),
        kind: z.enum(['lines', 'bars']),
        x: axisSchema,
        y: axisSchema,
        points: z.array(
          z.object({
            series: z.string(),
            x: z.union([z.number(), z.string()]),
            y: z.number(),
            low: z.number().optional(),
            high: z.number().optional(),
          }),
        ),
      }),
    )
    .default([]),
  raw: z.unknown(),
})

export type BenchResult = z.infer<typeof resultSchema>

type Measured = Omit<BenchResult, 'figures' | 'tables' | 'charts'> & ScenarioResult

/** @returns it as it is read back: NaN is null in JSON */
export function writeResult(directory: string, measured: Measured): BenchResult {
  mkdirSync(directory, { recursive: true })
  const text = JSON.stringify(measured, null, 1)
  writeFileSync(join(directory, `${measured.scenario}.json`), `${text}\n`)
  return resultSchema.parse(JSON.parse(text))
}

/** @param path a result, or a directory of them; files there that are none (`chaos.json`, `conformance.json`) are left out */
export function readResults(path: string): BenchResult[] {
  if (!existsSync(path)) return []
  if (statSync(path).isFile()) return [resultSchema.parse(JSON.parse(readFileSync(path, 'utf8')))]
  const files = readdirSync(path).filter((name) => name.endsWith('.json'))
  return files.toSorted().flatMap((name) => {
    const { success, data } = resultSchema.safeParse(JSON.parse(readFileSync(join(path, name), 'utf8')))
    return success ? [data] : []
  })
}
