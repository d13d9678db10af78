// `npm test -- sandboxBenchmark`: the five workloads in every sandbox, a round of each. All give the same output; what they took is shown and
// gates nothing. `npm run bench -- sandbox` measures.
import { describe, expect, test } from 'vitest'
import { baseline, sandboxNames } from '../../bench/sandboxes/sandbox-kinds.ts'
import { startSandbox } from '../../bench/sandboxes/start-sandbox.ts'
import { textTable } from '../../bench/text-table.ts'
import { sheetPrograms } from '../../bench/workloads/sheet-programs.ts'
import { hasNativeEngine } from '../fakes/native-engine.ts'

/** Half a minute's build where it is not in the cache, and no sandbox of its own: the kind is covered by the engine's tests. */
const measured = sandboxNames.filter((name): boolean => name !== 'ours: component')
const names = sheetPrograms.map(({ name }) => name)

describe.skipIf(!hasNativeEngine)('sandboxes', () => {
  test('give the same outputs for the workloads of the sheet', async () => {
    const columns = await Promise.all(
      measured.map(async (name) => {
        const sandbox = await startSandbox(name, sheetPrograms)
        try {
          expect(sandbox.refused).toEqual({})
          return await sandbox.turn(names)
        } finally {
          await sandbox.stop()
        }
      }),
    )
    const outputs = columns.map((samples) => samples.map(({ name, output }) => ({ name, output })))
    expect(outputs[measured.indexOf(baseline)]?.map(({ name }) => name)).toEqual(names)
    for (const each of outputs) expect(each).toEqual(outputs[0])
    const rows = names.map((name, row) => [
      name,
      ...columns.map((samples) => (samples[row] ? samples[row].startMs + samples[row].runMs : null)),
    ])
    console.log(
      `start + run, ms, one round of each at the same time as the others: an order of magnitude\n${textTable(['workload', ...measured], rows)}`,
    )
  })
})
