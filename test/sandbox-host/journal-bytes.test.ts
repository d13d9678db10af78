// The gate on what the journal keeps of an execution, which is what travels to the Worker and lies in Postgres.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { holdToBudget } from '../budgets/hold-to-budget.ts'
import { startTestHost } from '../fakes/test-host.ts'

test('a record with its receipt', async () => {
  await using host = await startTestHost()
  const journaled = async () => {
    expect((await host.post('/v1/executions', host.execution('export default 1'))).status).toBe(200)
    const journal = join(host.environment['DATA_DIR'] ?? '', 'journal')
    const segments = readdirSync(journal).filter((name) => name.endsWith('.segment'))
    return segments.reduce((sum, name) => sum + readFileSync(join(journal, name)).length, 0)
  }
  const first = await journaled()
  holdToBudget('bytes', 'an execution, journaled', { bytes: (await journaled()) - first })
})
