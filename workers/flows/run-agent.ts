// Runs an agent: the hot path. When this isolate knows the key and the agent, nothing but the host is asked; the host journals the outcome
// before it answers and hands it over afterwards (flows/record-outcomes.ts).
import type { ExecutionCreate, ExecutionStatus } from '../../shared/execution.ts'
import type { RunnableAgent } from '../../shared/agent-ports.ts'
import { ProblemError } from '../../shared/problem.ts'
import { limits } from '../../shared/tiers.ts'
import type { Attempt } from '../idempotency.ts'
import type { Services } from '../services.ts'
import { agentNotFound } from './deploy-agent.ts'
import { findExecution, viewExecution } from './read-execution.ts'

/** So long may another isolate run the version before the latest. A version that is named never changes. */
const latestFreshMs = 5_000

export type RunAgent = { accountId: string; agentId: string; execution: ExecutionCreate; attempt: Attempt }

/** The execution as the API answers it, in JSON; of one that an earlier try has queued (queue-execution.ts) how it stands. */
export type AgentRun = { id: string; status: ExecutionStatus; text: string }

export async function runAgent(services: Services, { accountId, agentId, execution, attempt }: RunAgent): Promise<AgentRun> {
  const { input, tier, seed, startTime } = execution
  requireSmallInput(input)
  const { version, program } = await findRunnable(services, { agentId, version: execution.version })
  const id = attempt.newId('execution')
  const ran = attempt.isRetry ? await findExecution(services, id).catch(orUnknown) : undefined
  if (ran) return { id, status: ran.status, text: JSON.stringify(viewExecution(ran)) }
  const { status, outcome } = await services.sandbox.run({ id, agentId, version, tier, seed, startTime, accountId, program, input })
  services.counters.add('executions_total', { status })
  return { id, status, text: outcome }
}

/** A lost host may hold the execution. It is run again then, which is the same execution: placed-sandbox.ts says why that is safe. */
function orUnknown(error: unknown): undefined {
  if (!(error instanceof ProblemError) || error.code !== 'sandbox-unavailable') throw error
}

/** @throws ProblemError `agent-not-found` */
export async function findRunnable(
  { agents, runnable, now }: Services,
  { agentId, version }: { agentId: string; version?: number | undefined },
): Promise<RunnableAgent> {
  const key = version === undefined ? agentId : `${agentId}@${version}`
  const known = runnable.get(key)
  if (known && (version !== undefined || known.freshUntil > now())) return known.agent
  // One request looks whether there is a newer version; the others go on with the one they know meanwhile.
  if (known) known.freshUntil = now() + latestFreshMs
  const found = await agents.findRunnable(agentId, version).catch((error: unknown) => {
    // Running what was the latest a moment ago beats running nothing.
    if (known && error instanceof ProblemError && error.code === 'database-unavailable') return known.agent
    throw error
  })
  if (!found) throw agentNotFound(agentId, version)
  runnable.set(key, { agent: found, freshUntil: now() + latestFreshMs })
  return found
}

function requireSmallInput(input: unknown): void {
  if (typeof input === 'object' || typeof input === 'string') inputText(input)
}

/** As JSON. @throws ProblemError `body-too-large` */
export function inputText(input: unknown): string {
  const text = JSON.stringify(input)
  // A character is at most three bytes of UTF-8.
  if (text.length * 3 <= limits.inputBytesMax) return text
  const bytes = new TextEncoder().encode(text).length
  if (bytes <= limits.inputBytesMax) return text
  throw new ProblemError('body-too-large', { detail: `the input is ${bytes} bytes of JSON; at most ${limits.inputBytesMax} are allowed` })
}
