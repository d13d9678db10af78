// API keys in Postgres: hashes and what they are good for.
import { z } from 'zod'
import { keysPerAccountMax, scopeSchema } from '../../shared/api-key.ts'
import type { KeyStore, NewKey } from '../../shared/ports.ts'
import { keysetPage, ownFilters } from './keyset-page.ts'
import type { Database, Statement } from './neon.ts'
import { instantSchema } from './neon-rows.ts'

// `to_json`: how arrays of Postgres arrive is the driver's affair, JSON is plain.
const columns = 'id, name, to_json(scopes) as scopes, created_at, expires_at'

const keyRowSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    scopes: z.array(scopeSchema),
    created_at: instantSchema,
    expires_at: instantSchema.nullable(),
  })
  .transform(({ created_at, expires_at, ...rest }) => ({ ...rest, createdAt: created_at, expiresAt: expires_at }))

const grantRowSchema = z
  .object({
    id: z.string(),
    account_id: z.string(),
    scopes: z.array(scopeSchema),
    expires_at: instantSchema.nullable(),
    rate_limited: z.boolean(),
  })
  .transform(({ id, account_id, scopes, expires_at, rate_limited }) => ({
    keyId: id,
    accountId: account_id,
    scopes,
    expiresAt: expires_at,
    isRateLimited: rate_limited,
  }))

/** @param bound condition under which the key is made */
export function insertKey(accountId: string, key: NewKey, bound = ''): Statement {
  return {
    text: `insert into api_keys (id, account_id, sha256, created_at, name, scopes, expires_at, rate_limited)
      select $1, $2, $3, $4::timestamptz, $5, array(select json_array_elements_text($6::json)), $7::timestamptz, $8::boolean ${bound}`,
    parameters: [key.id, accountId, key.sha256, key.createdAt, key.name, JSON.stringify(key.scopes), key.expiresAt, key.isRateLimited],
  }
}

export function neonKeyStore(database: Database): KeyStore {
  return {
    async create(accountId, key) {
      await database.transaction([
        // Keys of one account are made one after the other, or two at once could both find the last place.
        { text: 'select 1 from accounts where id = $1 for update', parameters: [accountId] },
        insertKey(accountId, key, `where (select count(*) from api_keys where account_id = $2) < ${keysPerAccountMax}`),
      ])
      const made = await database.query(z.unknown(), { text: 'select 1 from api_keys where id = $1', parameters: [key.id] })
      return made.length > 0
    },

    async findGrant(sha256) {
      const [row] = await database.query(grantRowSchema, {
        text: 'select id, account_id, to_json(scopes) as scopes, expires_at, rate_limited from api_keys where sha256 = $1',
        parameters: [sha256],
      })
      return row
    },

    async list(accountId, { limit, after }) {
      const filters = ownFilters('api_keys', accountId, {})
      return (await keysetPage(database, { row: keyRowSchema, table: 'api_keys', columns, filters, limit, after })).items
    },

    async remove(id, accountId) {
      const [row] = await database.query(z.object({ sha256: z.string() }), {
        text: 'delete from api_keys where id = $1 and ($2::text is null or account_id = $2) returning sha256',
        parameters: [id, accountId ?? null],
      })
      return row?.sha256
    },
  }
}
