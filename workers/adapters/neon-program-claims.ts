// Claims on the bytes of programs in Postgres: one row a program, whose conflict decides between a deploy and a sweep.
import { z } from 'zod'
import type { ProgramClaims } from '../../shared/sweep-ports.ts'
import type { Database } from './neon.ts'
import { ignoredRowSchema } from './neon-rows.ts'

const rowSchema = z.object({ sha256: z.string() })
/** Those of $1 that no version names. */
const unnamedText = `select sha256 from (select distinct json_array_elements_text($1::json) collate "C" as sha256) asked
  where not exists (select from agent_versions v where v.sha256 = asked.sha256)`

export function neonProgramClaims(database: Database): ProgramClaims {
  return {
    async hold(sha256, { at, until }) {
      const held = await database.query(rowSchema, {
        text: `insert into program_claims as known (sha256, holder, until) values ($1, 'deploy', $3::timestamptz)
          on conflict (sha256) do update set holder = 'deploy', until = greatest(known.until, excluded.until)
          where known.holder = 'deploy' or known.until <= $2::timestamptz
          returning sha256`,
        parameters: [sha256, at, until],
      })
      return held.length > 0
    },

    async claim(sha256s, { at, until }) {
      // A deploy that holds one and is not over has its row locked or there; one that is over has its version in what this statement sees.
      const claimed = await database.query(rowSchema, {
        text: `insert into program_claims as known (sha256, holder, until)
          select sha256, 'sweep', $3::timestamptz from (${unnamedText}) unnamed order by sha256
          on conflict (sha256) do update set holder = 'sweep', until = excluded.until
          where known.until <= $2::timestamptz
          returning sha256`,
        parameters: [JSON.stringify(sha256s), at, until],
      })
      return claimed.map(({ sha256 }) => sha256)
    },

    async unnamed(sha256s, { at }) {
      const found = await database.query(rowSchema, {
        text: `select sha256 from (${unnamedText}) unnamed
          where not exists (select from program_claims known where known.sha256 = unnamed.sha256 and known.until > $2::timestamptz)`,
        parameters: [JSON.stringify(sha256s), at],
      })
      return found.map(({ sha256 }) => sha256)
    },

    async release(sha256s) {
      await database.query(ignoredRowSchema, {
        text: `delete from program_claims where holder = 'sweep' and sha256 in (select json_array_elements_text($1::json))`,
        parameters: [JSON.stringify(sha256s)],
      })
    },
  }
}
