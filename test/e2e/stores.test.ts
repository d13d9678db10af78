// The contracts over Postgres, behind the Neon protocol, as the Worker reaches it.
import { inject } from 'vitest'
import { keysContract } from '../contracts/keys.contract.ts'
import { storesContract } from '../contracts/stores.contract.ts'
import { neonDatabase } from '../../workers/adapters/neon.ts'
import { neonAccountStore } from '../../workers/adapters/neon-accounts.ts'
import { neonAgentStore } from '../../workers/adapters/neon-agents.ts'
import { neonBountyStore } from '../../workers/adapters/neon-bounties.ts'
import { neonExecutionStore } from '../../workers/adapters/neon-executions.ts'
import { neonIdempotencyStore } from '../../workers/adapters/neon-idempotency.ts'
import { neonKeyStore } from '../../workers/adapters/neon-keys.ts'
import { neonReceiptKeyStore } from '../../workers/adapters/neon-receipt-keys.ts'
import { neonSubmissionStore } from '../../workers/adapters/neon-submissions.ts'

const open = () => {
  const database = neonDatabase(inject('stack').neon)
  return {
    accounts: neonAccountStore(database),
    keys: neonKeyStore(database),
    idempotency: neonIdempotencyStore(database),
    agents: neonAgentStore(database),
    bounties: neonBountyStore(database),
    submissions: neonSubmissionStore(database),
    executions: neonExecutionStore(database),
    receiptKeys: neonReceiptKeyStore(database),
  }
}

storesContract('Postgres', open)
keysContract('Postgres', open)
