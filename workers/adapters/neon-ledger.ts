// Balances and their entries in Postgres. What moves credits is a row of `ledger_transfers`; entries and balances are written by the database
// itself (migrations/0005-ledger.sql).
import { z } from 'zod'
import { transferKindSchema } from '../../shared/ledger.ts'
import type { LedgerStore } from '../../shared/ports.ts'
import { ProblemError } from '../../shared/problem.ts'
import { isViolation, type Database, type Statement } from './neon.ts'
import { bigintSchema, instantSchema } from './neon-rows.ts'

const entryRowSchema = z
  .object({
    number: bigintSchema,
    id: z.string(),
    at: instantSchema,
    kind: transferKindSchema,
    subject: z.string(),
    credits: bigintSchema,
    balance_after: bigintSchema,
    reason: z.string().nullable(),
  })
  .transform(({ subject, balance_after, ...rest }) => ({
    ...rest,
    balanceAfter: balance_after,
    bountyId: rest.kind === 'mint' ? null : subject,
  }))
const dayRowSchema = z
  .object({ day: z.string(), came: bigintSchema, went: bigintSchema })
  .transform(({ day, came, went }) => ({ day, creditsIn: came, creditsOut: went }))
const entryText = `select e.number, t.id, t.at, t.kind, t.subject, e.credits, e.balance_after, t.reason
  from ledger_entries e join ledger_transfers t on t.id = e.transfer_id`

export function neonLedgerStore(database: Database): LedgerStore {
  return {
    async mint({ id, accountId, credits, reason, at }) {
      try {
        await database.query(z.unknown(), {
          text: `insert into ledger_transfers (id, kind, subject, from_id, to_id, credits, reason, at)
            values ($1, 'mint', $1, 'mint', $2, $3, $4, $5) on conflict (id) do nothing`,
          parameters: [id, accountId, credits, reason, at],
        })
      } catch (error) {
        if (isViolation(error, 'ledger_transfers_to_id_fkey')) throw accountNotFound(accountId)
        if (isViolation(error, 'ledger_supply_safe'))
          throw new ProblemError('supply-exhausted', {
            detail: `minting ${credits} would make more than ${Number.MAX_SAFE_INTEGER} credits`,
          })
        throw error
      }
      const [entry] = await database.query(entryRowSchema, {
        text: `${entryText} where e.transfer_id = $1 and e.holder_id = $2`,
        parameters: [id, accountId],
      })
      if (!entry) throw accountNotFound(accountId)
      return entry
    },

    async balance(accountId) {
      return balanceOf(database, accountId)
    },

    async entries(accountId, { limit, before }) {
      return database.query(entryRowSchema, {
        text: `${entryText} where e.holder_id = $1 and ($3::bigint is null or e.number < $3) order by e.number desc limit $2`,
        parameters: [accountId, limit, before ?? null],
      })
    },

    async byDay(accountId, { from }) {
      return database.query(dayRowSchema, {
        text: `select day::text as day, came, went from ledger_days where holder_id = $1 and day >= $2::date order by ledger_days.day desc`,
        parameters: [accountId, from],
      })
    },
  }
}

async function balanceOf(database: Database, holderId: string): Promise<number | undefined> {
  const statement: Statement = { text: 'select balance from ledger_holders where id = $1', parameters: [holderId] }
  const [row] = await database.query(z.object({ balance: bigintSchema }), statement)
  return row?.balance
}

function accountNotFound(id: string): ProblemError {
  return new ProblemError('account-not-found', { detail: `there is no account ${id}` })
}

/** What the constraint refused, in figures; the balance is that of a moment later. */
export async function insufficientCredits(
  database: Database,
  { accountId, needed }: { accountId: string; needed: number },
): Promise<ProblemError> {
  const balance = (await balanceOf(database, accountId)) ?? 0
  return new ProblemError('insufficient-credits', { detail: `the reward is ${needed} credits; the account holds ${balance}` })
}
