// Child: what `@neondatabase/serverless` talks to in production, over a local Postgres. POST /sql takes one query, or a batch that runs in
// one transaction; values travel as text and the driver parses them. https://github.com/neondatabase/serverless describes the driver.
import { Pool } from 'pg'
import { createNeonHttp } from './neon-http-server.ts'
import { loopback } from './free-port.ts'
import { childSetting, runChild } from './run-child.ts'

await runChild(async () => {
  const port = Number(childSetting('PORT'))
  const pool = new Pool({
    connectionString: childSetting('DATABASE_URL'),
    max: 20,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 60_000,
    // A query that runs longer than a caller waits only holds a connection that others need.
    statement_timeout: 30_000,
  })
  // An idle connection that Postgres closed (a restart) is replaced by the pool.
  pool.on('error', (error) => console.error(`idle connection: ${error.message}`))
  const server = createNeonHttp({ pool, user: childSetting('NEON_USER'), password: childSetting('NEON_PASSWORD') })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, loopback, resolve))
  return {
    port,
    stop: async () => {
      server.close()
      server.closeAllConnections()
      await pool.end()
    },
  }
})
