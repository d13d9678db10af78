// Idempotency keys in Postgres. The primary key decides who is first; whatever comes later reads what stands there.
import { z } from 'zod'
import { claimMs, keptMs } from '../../shared/idempotency.ts'
import type { ClaimedKey, IdempotencyStore } from '../../shared/ports.ts'
import { ProblemError } from '../../shared/problem.ts'
import type { Database } from './neon.ts'
import { ignoredRowSchema, instantSchema } from './neon-rows.ts'

/** Forgotten keys that a claim sweeps out: more than it adds. */
const sweptPerClaim = 10

const claimedRowSchema = z.object({ first_at: instantSchema, attempts: z.number() })

const heldRowSchema = z.object({
  request_sha256: z.string(),
  status: z.number().nullable(),
  content_type: z.string().nullable(),
  location: z.string().nullable(),
  body: z.string().nullable(),
})

export function neonIdempotencyStore(database: Database): IdempotencyStore {
  return {
    async claim({ owner, key, requestSha256, claim, at }): Promise<ClaimedKey> {
      const until = new Date(Date.parse(at) + claimMs).toISOString()
      const forgotten = new Date(Date.parse(at) - keptMs).toISOString()
      const [claimed] = await database.query(claimedRowSchema, {
        text: `with swept as (
            delete from idempotency_keys where (owner, key) in (
              select owner, key from idempotency_keys where first_at <= $7 and (owner, key) <> ($1, $2)
              order by first_at limit ${sweptPerClaim} for update skip locked)
          )
          insert into idempotency_keys as held (owner, key, request_sha256, claim, claimed_until, first_at)
          values ($1, $2, $3, $4, $5, $6)
          on conflict (owner, key) do update set request_sha256 = excluded.request_sha256, claim = excluded.claim,
            claimed_until = excluded.claimed_until,
            first_at = case when held.first_at <= $7 then excluded.first_at else held.first_at end,
            attempts = case when held.first_at <= $7 then 1 else held.attempts + 1 end,
            status = null, content_type = null, location = null, body = null
          where held.first_at <= $7
            or (held.status is null and held.claimed_until <= $6 and held.request_sha256 = excluded.request_sha256)
          returning first_at, attempts`,
        parameters: [owner, key, requestSha256, claim, until, at, forgotten],
      })
      if (claimed) return { state: 'claimed', firstAt: claimed.first_at, isRetry: claimed.attempts > 1 }
      const [held] = await database.query(heldRowSchema, {
        text: 'select request_sha256, status, content_type, location, body from idempotency_keys where owner = $1 and key = $2',
        parameters: [owner, key],
      })
      // Swept between the two statements: it was a day old, and the next request is a first one.
      if (!held) throw new ProblemError('database-unavailable', { detail: 'the idempotency key ran out just now; repeat the request' })
      const { request_sha256, status, content_type, location, body } = held
      if (status === null || body === null) return { state: 'in-progress', requestSha256: request_sha256 }
      return { state: 'answered', requestSha256: request_sha256, answer: { status, contentType: content_type ?? '', location, body } }
    },

    async answer({ owner, key, claim }, { status, contentType, location, body }) {
      await database.query(ignoredRowSchema, {
        text: `update idempotency_keys set status = $4, content_type = $5, location = $6, body = $7
          where owner = $1 and key = $2 and claim = $3 and status is null`,
        parameters: [owner, key, claim, status, contentType, location, body],
      })
    },

    async release({ owner, key, claim }) {
      await database.query(ignoredRowSchema, {
        text: `update idempotency_keys set claimed_until = '-infinity' where owner = $1 and key = $2 and claim = $3 and status is null`,
        parameters: [owner, key, claim],
      })
    },
  }
}
