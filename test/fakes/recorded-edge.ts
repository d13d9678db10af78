// The Worker as it is deployed, in this process, over a real Postgres behind the Neon protocol: every request to the database is recorded with
// its statements. The cache and the host are not there.
import { createHash } from 'node:crypto'
import { neonConfig } from '@neondatabase/serverless'
import { Pool } from 'pg'
import { z } from 'zod'
import { createNeonHttp } from '../../local/neon-http-server.ts'
import { createApp } from '../../workers/app.ts'
import { createServices } from '../../workers/services.ts'
import type { Env } from '../../workers/env.ts'
import { serveOnFreePort } from './serve-on-free-port.ts'

export type RecordedStatement = { query: string; params: unknown[] }
export type RecordedEdge = {
  /** Of each request since the last `take`, its statements: one, or those of a transaction. */
  take: () => RecordedStatement[][]
  fetch: (path: string, options?: { key?: string }) => Promise<Response>
  stop: () => Promise<void>
}

export const recordedAdminKey = `ab_${'a'.repeat(43)}`

const statementSchema = z.object({ query: z.string(), params: z.array(z.unknown()).default([]) })
const requestSchema = z.union([z.object({ queries: z.array(statementSchema) }), statementSchema])

export async function recordedEdge(databaseUrl: string): Promise<RecordedEdge> {
  const pool = new Pool({ connectionString: databaseUrl, max: 4 })
  const bridge = await serveOnFreePort(createNeonHttp({ pool, user: 'worker', password: 'secret' }))
  let recorded: RecordedStatement[][] = []
  neonConfig.fetchFunction = (url: string, init: RequestInit & { body: string }) => {
    const request = requestSchema.parse(JSON.parse(init.body))
    recorded.push('queries' in request ? request.queries : [request])
    return fetch(url, init)
  }
  const nobody = 'http://127.0.0.1:9'
  const env: Env = {
    DATABASE_URL: 'postgresql://worker:secret@127.0.0.1/bounty',
    NEON_HTTP_ENDPOINT: `${bridge.url}/sql`,
    UPSTASH_REDIS_REST_URL: nobody,
    UPSTASH_REDIS_REST_TOKEN: 'none',
    WEBHOOK_ENCRYPTION_KEY: 'of the tests, and of them alone: 32 characters',
    SANDBOX_URL: nobody,
    SANDBOX_SECRET: 'a secret of more than thirty-two characters',
    ADMIN_KEY_SHA256: createHash('sha256').update(recordedAdminKey).digest('hex'),
    // Lists never ask for an artifact, and publish nothing.
    ARTIFACTS: {} as Env['ARTIFACTS'],
    EVENT_QUEUE: {} as Env['EVENT_QUEUE'],
  }
  const app = createApp(createServices(env))
  return {
    take() {
      const taken = recorded
      recorded = []
      return taken
    },
    fetch: async (path, { key } = {}) => app.request(path, { headers: key === undefined ? {} : { authorization: `Bearer ${key}` } }),
    async stop() {
      await bridge.stop()
      await pool.end()
    },
  }
}
