// What the API answers for an execution, made where it was run: the Worker passes it on without a look at what is in it.
import { scriptModeOf } from '../shared/agent.ts'
import type { ExecutionRecord, GuestStatus, Outcome } from '../shared/execution.ts'

/** The same as `outcomeOf` of shared/execution.ts as JSON, with the program's output byte for byte. */
export function outcomeAnswer(record: Buffer): { status: GuestStatus; text: string } {
  // Our own journal's.
  const { accountId: _account, program, output, artifacts, ...rest } = JSON.parse(record.toString('utf8')) as ExecutionRecord
  const told = artifacts.map(({ name, bytes, sha256 }) => ({ name, bytes, sha256 }))
  const text = JSON.stringify({ ...rest, scriptMode: scriptModeOf(program), artifacts: told } satisfies Outcome)
  // It is JSON, or there were none (run-outcome.ts).
  return { status: rest.status, text: output === undefined ? text : `${text.slice(0, -1)},"output":${output}}` }
}
