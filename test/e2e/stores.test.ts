// The contracts over Postgres, behind the Neon protocol, as the Worker reaches it.
import { expect, inject, test } from 'vitest'
import { z } from 'zod'
import { keptMs } from '../../shared/idempotency.ts'
import { asyncExecutionsContract } from '../contracts/async-executions.contract.ts'
import { casesContract } from '../contracts/cases.contract.ts'
import { hostsContract } from '../contracts/hosts.contract.ts'
import { deadLettersContract } from '../contracts/dead-letters.contract.ts'
import { judgingContract } from '../contracts/judging.contract.ts'
import { keysContract } from '../contracts/keys.contract.ts'
import { listsContract } from '../contracts/lists.contract.ts'
import { moneyContract } from '../contracts/money.contract.ts'
import { progressContract } from '../contracts/progress.contract.ts'
import { retentionContract } from '../contracts/retention.contract.ts'
import { storesContract } from '../contracts/stores.contract.ts'
import { webhooksContract } from '../contracts/webhooks.contract.ts'
import { idOf } from '../fakes/id-of.ts'
import { newKey } from '../fakes/new-key.ts'
import { neonDatabase } from '../../workers/adapters/neon.ts'
import { neonAccountStore } from '../../workers/adapters/neon-accounts.ts'
import { neonAgentStore } from '../../workers/adapters/neon-agents.ts'
import { neonAsyncExecutionStore } from '../../workers/adapters/neon-async-executions.ts'
import { neonBountyStore } from '../../workers/adapters/neon-bounties.ts'
import { neonCaseStore } from '../../workers/adapters/neon-cases.ts'
import { neonDeadLetterStore } from '../../workers/adapters/neon-dead-letters.ts'
import { neonExecutionStore } from '../../workers/adapters/neon-executions.ts'
import { neonHostStore } from '../../workers/adapters/neon-hosts.ts'
import { neonIdempotencyStore } from '../../workers/adapters/neon-idempotency.ts'
import { neonKeyStore } from '../../workers/adapters/neon-keys.ts'
import { neonLedgerStore } from '../../workers/adapters/neon-ledger.ts'
import { neonJudgingStore } from '../../workers/adapters/neon-judging.ts'
import { neonJudgementReceiptStore } from '../../workers/adapters/neon-judgement-receipts.ts'
import { neonProgramClaims } from '../../workers/adapters/neon-program-claims.ts'
import { neonProgressStore } from '../../workers/adapters/neon-progress.ts'
import { neonReceiptKeyStore } from '../../workers/adapters/neon-receipt-keys.ts'
import { neonRetentionStore } from '../../workers/adapters/neon-retention.ts'
import { neonSettlementStore } from '../../workers/adapters/neon-settlements.ts'
import { neonSubmissionStore } from '../../workers/adapters/neon-submissions.ts'
import { neonWebhookStore } from '../../workers/adapters/neon-webhooks.ts'

function stores() {
  const database = neonDatabase(inject('stack').neon)
  return {
    accounts: neonAccountStore(database),
    keys: neonKeyStore(database),
    idempotency: neonIdempotencyStore(database),
    agents: neonAgentStore(database),
    bounties: neonBountyStore(database),
    submissions: neonSubmissionStore(database),
    judgings: neonJudgingStore(database),
    cases: neonCaseStore(database),
    deadLetters: neonDeadLetterStore(database),
    progress: neonProgressStore(database),
    executions: neonExecutionStore(database),
    asyncExecutions: neonAsyncExecutionStore(database),
    ledger: neonLedgerStore(database),
    settlements: neonSettlementStore(database),
    judgementReceipts: neonJudgementReceiptStore(database),
    receiptKeys: neonReceiptKeyStore(database),
    webhooks: neonWebhookStore(database),
    programClaims: neonProgramClaims(database),
    retention: neonRetentionStore(database),
  }
}

storesContract('Postgres', stores)
asyncExecutionsContract('Postgres', stores)
casesContract('Postgres', stores)
hostsContract('Postgres', () => neonHostStore(neonDatabase(inject('stack').neon)))
deadLettersContract('Postgres', stores)
judgingContract('Postgres', stores)
keysContract('Postgres', stores)
listsContract('Postgres', stores)
moneyContract('Postgres', stores)
progressContract('Postgres', stores)
retentionContract('Postgres', stores)
webhooksContract('Postgres', stores)

test('an execution that is deleted takes its dead letter along, and is forgotten by what replayed it', async () => {
  const database = neonDatabase(inject('stack').neon)
  const { accounts, agents, asyncExecutions, executions, deadLetters } = stores()
  const at = (second: number) => new Date(Date.UTC(2126, 3, 5, 12, 0, second)).toISOString()
  const [accountId, agentId, id, replay] = [idOf('account'), idOf('agent'), idOf('execution'), idOf('execution')]
  const program = { kind: 'script', sha256: '0'.repeat(64) } as const
  await accounts.create({ id: accountId, name: accountId, createdAt: at(0) }, newKey())
  await agents.create(
    { id: agentId, accountId, name: 'a', ...program, scriptMode: 'interpreted', version: 1, bytes: 1, createdAt: at(0), updatedAt: at(0) },
    { engine: 'e' },
  )
  const run = {
    id,
    accountId,
    agentId,
    version: 1,
    tier: 'basic',
    seed: 0,
    startTime: '2000-01-01T00:00:00Z',
    program,
    input: '1',
  } as const
  await asyncExecutions.create({ ...run, createdAt: at(1), dueAt: at(16) })
  await asyncExecutions.fail(id, { turn: 1, at: at(2), failure: 'it broke' })
  await asyncExecutions.replay(replay, { replayOf: id, createdAt: at(3), dueAt: at(18) })
  expect((await deadLetters.list({ accountId, limit: 9 })).items).toHaveLength(1)
  await database.query(z.unknown(), { text: 'delete from executions where id = $1', parameters: [id] })
  expect((await deadLetters.list({ accountId, limit: 9 })).items).toEqual([])
  const left = await executions.find(replay)
  expect([left?.status, left?.replayOf]).toEqual(['queued', undefined])
  await asyncExecutions.cancel(replay, { at: at(4) })
})

test('idempotency keys that are a day old are swept out of Postgres by those that come after them', async () => {
  const database = neonDatabase(inject('stack').neon)
  const { idempotency } = stores()
  const owner = `sweep ${Date.now()}`
  const claim = (key: string, at: number) => {
    return idempotency.claim({ owner, key, requestSha256: '0'.repeat(64), claim: key, at: new Date(at).toISOString() })
  }
  const old = Date.parse('2001-01-01T00:00:00Z')
  for (let i = 0; i < 12; i++) await claim(`old ${i}`, old + i)
  const kept = async () => {
    const found = await database.query(z.object({ key: z.string() }), {
      text: 'select key from idempotency_keys where owner = $1 order by first_at, key',
      parameters: [owner],
    })
    return found.map(({ key }) => key)
  }
  await claim('first', old + keptMs - 1)
  expect(await kept()).toHaveLength(13)
  await claim('second', old + keptMs + 11)
  expect(await kept()).toEqual(['old 10', 'old 11', 'first', 'second'])
  await claim('third', old + keptMs + 12)
  expect(await kept()).toEqual(['first', 'second', 'third'])
})
