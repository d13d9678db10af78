// A million executions, scripts and commands in turn: the memory of the process afterwards against what it was after the first hundred
// thousand. Guests that end badly are among them, because their ends take other ways.
import { readFileSync } from 'node:fs'
import { createNativeForBench } from '../native.ts'
import { runLimits } from '../../sandbox-host/sandbox-engine.ts'
import type { ScenarioResult } from '../scenario.ts'

const executions = 1_000_000
const warmUp = 100_000
const inFlight = 64

export async function soak(): Promise<ScenarioResult> {
  const native = createNativeForBench({ slots: 128 })
  try {
    const sources = ['export default (input) => input', 'export default () => { throw new Error("no") }']
    const prepared = await Promise.all([
      ...sources.map((source) => native.prepare('script', Buffer.from(source), runLimits('basic'))),
      native.prepare('command', readFileSync(new URL('../../test/fixtures/agents/echo.wasm', import.meta.url)), runLimits('basic')),
    ])
    const handles = prepared.map((outcome) => {
      if (!outcome.ok) throw new Error(outcome.message)
      return outcome.handle
    })
    const request = { input: '{"n":1}', seed: 0, startTimeMs: 0, limits: runLimits('basic') }
    const samples: { executions: number; residentMiB: number }[] = []
    const started = performance.now()
    let begun = 0
    await Promise.all(
      Array.from({ length: inFlight }, async () => {
        for (let i = begun++; i < executions; i = begun++) {
          if (i % warmUp === 0) samples.push({ executions: i, residentMiB: process.memoryUsage.rss() / 2 ** 20 })
          await native.run(handles[i % handles.length] ?? 0, request)
        }
      }),
    )
    const seconds = (performance.now() - started) / 1000
    globalThis.gc?.()
    samples.push({ executions, residentMiB: process.memoryUsage.rss() / 2 ** 20 })
    const after = samples.filter((sample) => sample.executions >= warmUp).map(({ residentMiB }) => residentMiB)
    const growth = (samples.at(-1)?.residentMiB ?? 0) - (after[0] ?? 0)
    return {
      figures: [
        { name: `growth of the process over executions ${warmUp} to ${executions}, MiB`, value: growth, target: '+- 5' },
        { name: `${executions} executions, per second, through Node`, value: executions / seconds },
      ],
      raw: { samples },
    }
  } finally {
    native.close()
  }
}
