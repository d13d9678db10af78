// Follows an execution to its end, asking again and again, more seldom the longer it takes.
import type { Client } from '../client/create-client.ts'
import { hasEnded } from '../shared/async-execution.ts'
import { executionSchema, type Execution } from '../shared/execution.ts'
import { ask } from './connect.ts'

const pauseMsMin = 200
const pauseMsMax = 3_000

export async function followExecution(client: Client, id: string): Promise<Execution> {
  for (let pauseMs = pauseMsMin; ; pauseMs = Math.min(pauseMs * 1.5, pauseMsMax)) {
    const execution = await ask(client, executionSchema, 'GET /api/executions/{id}', { params: { id } })
    if (hasEnded(execution.status)) return execution
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}
