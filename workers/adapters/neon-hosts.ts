// The sandbox hosts in Postgres.
import { z } from 'zod'
import { hostStateSchema } from '../../shared/host.ts'
import type { HostStore } from '../../shared/host-ports.ts'
import { tierSchema } from '../../shared/tiers.ts'
import { signatureWindowMs } from '../../shared/signing.ts'
import type { Database } from './neon.ts'
import { bigintSchema, ignoredRowSchema } from './neon-rows.ts'

const rowSchema = z
  .object({
    id: z.string(),
    instance: z.string(),
    state: hostStateSchema,
    tiers: z.array(tierSchema),
    threads: z.number(),
    load: z.number(),
    heard_ms: bigintSchema,
  })
  .transform(({ heard_ms, ...rest }) => ({ ...rest, heardMs: heard_ms }))

/** A beat that was signed longer ago than this is refused, so one that comes behind such a silence is new, whatever has become of its clock. */
const silenceMs = 3 * signatureWindowMs

export function neonHostStore(database: Database): HostStore {
  return {
    async beat({ host, instance, state, tiers, threads, load, at }) {
      await database.query(ignoredRowSchema, {
        text: `insert into sandbox_hosts as known (id, instance, state, tiers, threads, load, beat_at)
          values ($1, $2, $3, $4::json, $5, $6, $7)
          on conflict (id) do update set instance = excluded.instance, state = excluded.state, tiers = excluded.tiers,
            threads = excluded.threads, load = excluded.load, beat_at = excluded.beat_at, heard_at = now()
          where known.beat_at < excluded.beat_at or known.heard_at < now() - make_interval(secs => $8)`,
        parameters: [host, instance, state, JSON.stringify(tiers), threads, load, at, silenceMs / 1_000],
      })
    },
    list: ({ heardMsMax, restingMsMax, limit }) =>
      database.query(rowSchema, {
        text: `select id, instance, state, tiers, threads, load,
            greatest(0, extract(epoch from now() - heard_at) * 1000)::bigint as heard_ms
          from sandbox_hosts where heard_at >= now() - make_interval(secs => case state when 'resting' then $2::double precision else $1 end)
          order by heard_at desc, id limit $3`,
        parameters: [heardMsMax / 1_000, restingMsMax / 1_000, limit],
      }),
  }
}
