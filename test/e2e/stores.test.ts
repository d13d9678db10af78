// The contract over Postgres, behind the Neon protocol, as the Worker reaches it.
import { inject } from 'vitest'
import { moneyContract } from '../contracts/money.contract.ts'
import { storesContract } from '../contracts/stores.contract.ts'
import { neonDatabase } from '../../workers/adapters/neon.ts'
import { neonAccountStore } from '../../workers/adapters/neon-accounts.ts'
import { neonAgentStore } from '../../workers/adapters/neon-agents.ts'
import { neonBountyStore } from '../../workers/adapters/neon-bounties.ts'
import { neonExecutionStore } from '../../workers/adapters/neon-executions.ts'
import { neonLedgerStore } from '../../workers/adapters/neon-ledger.ts'
import { neonJudgementReceiptStore } from '../../workers/adapters/neon-judgement-receipts.ts'
import { neonReceiptKeyStore } from '../../workers/adapters/neon-receipt-keys.ts'
import { neonSettlementStore } from '../../workers/adapters/neon-settlements.ts'
import { neonSubmissionStore } from '../../workers/adapters/neon-submissions.ts'

function stores() {
  const database = neonDatabase(inject('stack').neon)
  return {
    accounts: neonAccountStore(database),
    agents: neonAgentStore(database),
    bounties: neonBountyStore(database),
    submissions: neonSubmissionStore(database),
    executions: neonExecutionStore(database),
    ledger: neonLedgerStore(database),
    settlements: neonSettlementStore(database),
    judgementReceipts: neonJudgementReceiptStore(database),
    receiptKeys: neonReceiptKeyStore(database),
  }
}

storesContract('Postgres', stores)
moneyContract('Postgres', stores)
