// What whoever typed a command can do about an error, after what the error says itself.
import { ApiProblem, isProblem, NoAnswer } from '../client/api-problem.ts'
import { UsageError } from './usage-error.ts'

export function advice(error: unknown): string | undefined {
  if (error instanceof NoAnswer) return 'is it the right address? BOUNTY_URL or --url names it; `npm start` starts a cloud on this machine'
  if (isProblem(error, 'missing-key')) return 'put the key of your account into the variable BOUNTY_KEY'
  if (isProblem(error, 'unknown-key', 'expired-key')) return 'BOUNTY_KEY holds a key that does not work here: is it of this address?'
  if (isProblem(error, 'forbidden')) return '`bounty keys` shows what your keys may do'
  if (isProblem(error, 'bounty-not-found')) return '`bounty bounties` lists those there are'
  if (isProblem(error, 'bounty-closed')) return '`bounty bounties --status open` lists those that are open'
  if (error instanceof ApiProblem && error.retryable) {
    return error.retryAfterSeconds === undefined ? 'try again in a moment' : `try again in ${error.retryAfterSeconds} s`
  }
  if (error instanceof ApiProblem && error.status >= 500) return `tell whoever runs it the request id ${error.requestId ?? '(it has none)'}`
  return undefined
}

/** A key that is missing or wrong is wrong use, too. */
export function isWrongUse(error: unknown): boolean {
  return error instanceof UsageError || isProblem(error, 'missing-key', 'unknown-key', 'expired-key')
}
