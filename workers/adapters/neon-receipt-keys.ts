// Public keys of hosts in Postgres.
import { z } from 'zod'
import type { ReceiptKeyStore } from '../../shared/ports.ts'
import type { Database } from './neon.ts'
import { ignoredRowSchema, instantSchema } from './neon-rows.ts'

const rowSchema = z
  .object({ id: z.string(), public_key: z.string(), host: z.string(), registered_at: instantSchema })
  .transform(({ id, public_key, host, registered_at }) => ({ id, publicKey: public_key, host, registeredAt: registered_at }))

export function neonReceiptKeyStore(database: Database): ReceiptKeyStore {
  return {
    async register({ id, publicKey, host }) {
      await database.query(ignoredRowSchema, {
        text: 'insert into receipt_keys (id, public_key, host) values ($1, $2, $3) on conflict do nothing',
        parameters: [id, publicKey, host],
      })
    },
    list: (limit) =>
      database.query(rowSchema, {
        text: 'select id, public_key, host, registered_at from receipt_keys order by registered_at desc, id limit $1',
        parameters: [limit],
      }),
  }
}
