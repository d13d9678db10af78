// Child: what one would write first. Express with pg and its pool, each as its documentation says, asking the same Postgres for the same
// rows and answering the same JSON. It has no cache, no key, no limits, and prepares no statement.
import type { AddressInfo } from 'node:net'
import express from 'express'
import { Pool, types } from 'pg'
import { childSetting, runChild } from '../../local/run-child.ts'

// bigint and timestamptz, as our API writes them.
types.setTypeParser(types.builtins.INT8, Number)
types.setTypeParser(types.builtins.TIMESTAMPTZ, (text) => new Date(text).toISOString())

const lists = {
  '/api/bounties': `select id, account_id as "accountId", title, reward_credits as "rewardCredits", mode, tier, status, case_count as "caseCount",
      deadline, awarded_submission_id as "awardedSubmissionId", closed_at as "closedAt", created_at as "createdAt"
    from bounties order by id desc limit 21`,
  '/api/agents': `select id, account_id as "accountId", name, kind, version, sha256, bytes, created_at as "createdAt", updated_at as "updatedAt"
    from agents order by id desc limit 21`,
  '/api/leaderboard': `select r.account_id as "accountId", o.name as "accountName", r.credits_won as "creditsWon", r.bounties_won as "bountiesWon",
      r.cases_passed as "casesPassed"
    from account_ranks r join accounts o on o.id = r.account_id
    order by -r.credits_won, -r.bounties_won, -r.cases_passed, r.account_id limit 21`,
}

await runChild(async () => {
  const pool = new Pool({ connectionString: childSetting('DATABASE_URL') })
  const app = express()
  app.get('/api/health', (_request, response) => {
    response.json({ status: 'ok' })
  })
  for (const [path, text] of Object.entries(lists)) {
    app.get(path, async (_request, response) => {
      const { rows } = await pool.query<{ id?: string }>(text)
      response.json({ items: rows.slice(0, 20), nextCursor: rows.length > 20 ? (rows[19]?.id ?? null) : null })
    })
  }
  const server = app.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  // A TCP server's address is never a path.
  const { port } = server.address() as AddressInfo
  return {
    port,
    stop: async () => {
      server.close()
      server.closeAllConnections()
      await pool.end()
    },
  }
})
