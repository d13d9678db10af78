import { Pool } from 'pg'
import { afterAll, beforeAll } from 'vitest'
import { migrate } from '../../local/migrate.ts'
import { createNeonHttp } from '../../local/neon-http-server.ts'
import { neonDatabase } from '../../workers/adapters/neon.ts'
import { neonAccountStore } from '../../workers/adapters/neon-accounts.ts'
import { neonAgentStore } from '../../workers/adapters/neon-agents.ts'
import { neonAsyncExecutionStore } from '../../workers/adapters/neon-async-executions.ts'
import { neonBountyStore } from '../../workers/adapters/neon-bounties.ts'
import { neonDueTimes } from '../../workers/adapters/neon-due-times.ts'
import { neonJudgingStore } from '../../workers/adapters/neon-judging.ts'
import { neonSettlementStore } from '../../workers/adapters/neon-settlements.ts'
import { neonSubmissionStore } from '../../workers/adapters/neon-submissions.ts'
import { neonWebhookStore } from '../../workers/adapters/neon-webhooks.ts'
import { dueTimesContract } from '../contracts/due-times.contract.ts'
import { memoryDatabase } from '../fakes/memory-database.ts'
import { startOwnPostgres, type OwnPostgres } from '../fakes/own-postgres.ts'
import { serveOnFreePort, type TestServer } from '../fakes/serve-on-free-port.ts'

let postgres: OwnPostgres
let pool: Pool
let bridge: TestServer
beforeAll(async () => {
  postgres = await startOwnPostgres()
  await migrate({ databaseUrl: postgres.databaseUrl })
  pool = new Pool({ connectionString: postgres.databaseUrl, max: 2 })
  bridge = await serveOnFreePort(createNeonHttp({ pool, user: 'worker', password: 'secret' }))
}, 120_000)
afterAll(async () => {
  await bridge.stop()
  await pool.end()
  await postgres.stop()
}, 30_000)

dueTimesContract('memory', memoryDatabase)
dueTimesContract('Postgres', () => {
  const database = neonDatabase({ url: 'postgresql://worker:secret@127.0.0.1/bounty', endpoint: `${bridge.url}/sql` })
  return {
    accounts: neonAccountStore(database),
    agents: neonAgentStore(database),
    bounties: neonBountyStore(database),
    submissions: neonSubmissionStore(database),
    judgings: neonJudgingStore(database),
    settlements: neonSettlementStore(database),
    asyncExecutions: neonAsyncExecutionStore(database),
    webhooks: neonWebhookStore(database),
    dueTimes: neonDueTimes(database),
  }
})
