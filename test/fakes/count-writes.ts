// Counts what was really written through the stores, from now on.
import type { MemoryDatabase } from './memory-database.ts'

type Call = (...of: never[]) => Promise<unknown>

/** @returns how many calls had an effect so far */
export function countWrites({
  accounts,
  agents,
  bounties,
  executions,
  idempotency,
  keys,
  ledger,
  settlements,
  submissions,
  webhooks,
}: MemoryDatabase): () => number {
  let written = 0
  const counted = <N extends string>(store: Record<N, Call>, name: N, isEffect: (result: unknown) => boolean = () => true) => {
    const call = store[name]
    store[name] = async (...of) => {
      const result = await call(...of)
      if (isEffect(result)) written++
      return result
    }
  }
  counted(accounts, 'create')
  counted(agents, 'create')
  counted(agents, 'addVersion', Boolean)
  counted(bounties, 'create')
  counted(executions, 'record')
  counted(executions, 'keepRejected')
  counted(idempotency, 'claim')
  counted(keys, 'create', Boolean)
  counted(keys, 'remove', Boolean)
  counted(ledger, 'mint')
  counted(settlements, 'award', Boolean)
  counted(settlements, 'cancel', Boolean)
  counted(submissions, 'create')
  counted(webhooks, 'create', Boolean)
  counted(webhooks, 'remove', Boolean)
  counted(webhooks, 'ping', Boolean)
  counted(webhooks, 'redeliver', Boolean)
  return () => written
}
