// Child: what `@upstash/redis` talks to in production, over a local Valkey or Redis.
import { RESP_TYPES, createClient } from 'redis'
import { loopback } from './free-port.ts'
import { childSetting, runChild } from './run-child.ts'
import { createUpstashRest } from './upstash-rest-server.ts'

await runChild(async () => {
  const port = Number(childSetting('PORT'))
  const client = createClient({
    url: childSetting('REDIS_URL'),
    // Upstash answers in the shapes of RESP 2.
    RESP: 2,
    // While Redis is away a caller gets an error now, not an answer to a question it has given up on.
    disableOfflineQueue: true,
    socket: { connectTimeout: 2_000, reconnectStrategy: (attempt) => Math.min(25 * 2 ** Math.min(attempt, 5), 500) },
    // Bytes stay bytes until the answer's encoding is known.
    commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
  })
  client.on('error', (error: Error) => console.error(`redis: ${error.message || error.name}`))
  await client.connect()
  const server = createUpstashRest({
    token: childSetting('UPSTASH_TOKEN'),
    redis: {
      command: (args) => client.sendCommand(args),
      transaction: async (commands) => {
        const transaction = client.multi()
        for (const args of commands) transaction.addCommand(args)
        return transaction.exec()
      },
    },
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, loopback, resolve))
  return {
    port,
    stop: async () => {
      server.close()
      server.closeAllConnections()
      client.destroy()
    },
  }
})
