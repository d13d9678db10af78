// The contracts over maps; test/e2e/stores.test.ts holds the same over Postgres.
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
import { memoryHostStore } from '../fakes/memory-hosts.ts'
import { memoryDatabase } from '../fakes/memory-database.ts'

storesContract('memory', memoryDatabase)
retentionContract('memory', memoryDatabase)
asyncExecutionsContract('memory', memoryDatabase)
casesContract('memory', memoryDatabase)
hostsContract('memory', memoryHostStore)
deadLettersContract('memory', memoryDatabase)
judgingContract('memory', memoryDatabase)
keysContract('memory', memoryDatabase)
listsContract('memory', memoryDatabase)
moneyContract('memory', memoryDatabase)
progressContract('memory', memoryDatabase)
webhooksContract('memory', memoryDatabase)
