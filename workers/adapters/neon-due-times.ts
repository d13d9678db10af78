// When a sweep has something to do in Postgres, read from the ends of the indexes that the sweeps read.
import { z } from 'zod'
import type { DueTimes } from '../../shared/sweep-ports.ts'
import type { Database } from './neon.ts'
import { instantSchema } from './neon-rows.ts'

const rowSchema = z.object({ at: instantSchema.nullable() })

export function neonDueTimes(database: Database): DueTimes {
  return {
    async earliest() {
      const [row] = await database.query(rowSchema, {
        text: `select least(
            (select min(due_at) from submissions where due_at is not null),
            (select min(due_at) from executions where due_at is not null),
            (select min(due_at) from webhook_deliveries where due_at is not null),
            (select min(deadline) from bounties where status = 'open')) as at`,
        parameters: [],
      })
      return row?.at ?? undefined
    },
  }
}
