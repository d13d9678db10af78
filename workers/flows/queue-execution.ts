// Takes an execution that nobody waits for: a row first, which is the truth and is never lost, then a message for whoever runs it
// (run-execution.ts).
import { assert } from '../../shared/assert.ts'
import type { UnrecordedExecution } from '../../shared/async-execution.ts'
import { unrecordedView } from '../../shared/async-execution.ts'
import type { Execution } from '../../shared/execution.ts'
import { tiers } from '../../shared/tiers.ts'
import type { Services } from '../services.ts'
import { viewExecution } from './read-execution.ts'
import { findRunnable, inputText, type RunAgent } from './run-agent.ts'
import { firstTurn, instant, messageMsMax, publishTurns } from './turns.ts'

/** An isolate may end 30 s after it has answered; what takes longer is left to whoever takes the message. */
const runMsMax = 20_000

/**
 * @returns it as it is: queued, unless an earlier try has made it. `turn`: what the caller may take at once, sooner than the message arrives
 * @throws ProblemError `agent-not-found`, `body-too-large`, `too-many-waiting`
 */
export async function queueExecution(
  services: Services,
  { accountId, agentId, execution, attempt }: RunAgent,
): Promise<{ execution: Execution; turn?: number }> {
  const { executions, asyncExecutions, eventLog, now } = services
  const { tier, seed, startTime } = execution
  const input = inputText(execution.input)
  const { version, program } = await findRunnable(services, { agentId, version: execution.version })
  const id = attempt.newId('execution')
  const run = { id, agentId, version, tier, seed, startTime, accountId, program }
  const at = now()
  const createdAt = instant(at)
  if (!(await asyncExecutions.create({ ...run, input, createdAt, dueAt: instant(at + messageMsMax) }))) {
    const made = await executions.find(id)
    assert(made, 'an execution that cannot be made a second time is there')
    return { execution: viewExecution(made) }
  }
  await publishTurns(services, [{ topic: 'executions', executionId: id, turn: firstTurn }])
  const queued: UnrecordedExecution = { ...run, status: 'queued', failure: null, createdAt, finishedAt: null, attempts: [] }
  return {
    execution: unrecordedView(queued),
    ...(!eventLog.isTakenByHosts && tiers[tier].wallMsMax <= runMsMax ? { turn: firstTurn } : {}),
  }
}
