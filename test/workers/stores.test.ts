// The contract over maps always, and over Postgres behind the Neon protocol when a stack runs: TEST_DATABASE_URL is the connection string
// that the Worker has, TEST_NEON_HTTP_ENDPOINT the bridge's URL.
import { storesContract, type Stores } from '../contracts/stores.contract.ts'
import { memoryDatabase } from '../fakes/memory-database.ts'
import { neonDatabase } from '../../workers/adapters/neon.ts'
import { neonAccountStore } from '../../workers/adapters/neon-accounts.ts'
import { neonAgentStore } from '../../workers/adapters/neon-agents.ts'
import { neonBountyStore } from '../../workers/adapters/neon-bounties.ts'
import { neonExecutionStore } from '../../workers/adapters/neon-executions.ts'
import { neonJudgementReceiptStore } from '../../workers/adapters/neon-judgement-receipts.ts'
import { neonReceiptKeyStore } from '../../workers/adapters/neon-receipt-keys.ts'
import { neonSubmissionStore } from '../../workers/adapters/neon-submissions.ts'

storesContract('memory', memoryDatabase)

const { TEST_DATABASE_URL: url, TEST_NEON_HTTP_ENDPOINT: endpoint } = process.env
storesContract('Postgres', openPostgres, { isSkipped: !url || !endpoint })

function openPostgres(): Stores {
  const database = neonDatabase({ url: url ?? '', endpoint })
  return {
    accounts: neonAccountStore(database),
    agents: neonAgentStore(database),
    bounties: neonBountyStore(database),
    submissions: neonSubmissionStore(database),
    executions: neonExecutionStore(database),
    judgementReceipts: neonJudgementReceiptStore(database),
    receiptKeys: neonReceiptKeyStore(database),
  }
}
