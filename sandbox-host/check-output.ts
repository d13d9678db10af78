// The special judge of one output: a bounty's checker is run, in a sandbox and with fuel of its own, and says whether the output is accepted.
// Whatever else it does is its own failure, told apart from a wrong answer. Its logs and artifacts are dropped.
import { checkerAnswerSchema, checkerMessageCharsMax } from '../shared/checker.ts'
import type { VerdictStatus } from '../shared/execution.ts'
import { storable } from './run-outcome.ts'
import type { AcceptedOutcome } from './run-outcome.ts'

/** JSON texts. */
export type CheckedOutput = { input: string; expected: string; output: string }

/** `repeats`: another run of the checker would decide the same. */
export type Decision = { status: VerdictStatus; message?: string; repeats: boolean }

/** @param run runs the checker with a JSON text as its input */
export async function checkOutput(
  run: (input: string) => Promise<AcceptedOutcome>,
  { input, expected, output }: CheckedOutput,
): Promise<Decision> {
  // Put in as they are: each is JSON by itself, and the output keeps the digits that its program wrote.
  const { status, output: answer } = await run(`{"input":${input},"expected":${expected},"output":${output}}`)
  if (answer === undefined) return failed(`the checker ended with ${status}`, { repeats: status !== 'deadline' })
  const checked = checkerAnswerSchema.safeParse(JSON.parse(answer))
  if (!checked.success) return failed('the checker did not return {accepted: boolean, message?: string}', { repeats: true })
  const { accepted, message } = checked.data
  return {
    status: accepted ? 'accepted' : 'wrong-answer',
    ...(message === undefined ? {} : { message: storable(message.slice(0, checkerMessageCharsMax)) }),
    repeats: true,
  }
}

function failed(message: string, { repeats }: { repeats: boolean }): Decision {
  return { status: 'checker-failed', message, repeats }
}
