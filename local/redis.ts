// The cache as a child of its own: a system Valkey or Redis where there is one, else Valkey compiled to WebAssembly from npm.
// `REDIS_URL` replaces all of this. Nothing is persisted: the cache is never the truth.
import { existsSync } from 'node:fs'
import { createConnection } from 'node:net'
import { delimiter, join } from 'node:path'
import { loopback } from './free-port.ts'
import { nodeProcess } from './node-process.ts'
import type { ProcessSpec } from './supervise-process.ts'

export type RedisOptions = { localDir: string; port: number; env: Record<string, string> }

export function redisProcess({ localDir, port, env }: RedisOptions): { spec: ProcessSpec; url: string } {
  const url = `redis://${loopback}:${port}`
  const server = findServer()
  if (server === undefined)
    return { spec: nodeProcess({ name: 'redis', file: 'local/redis-wasm.ts', env: { ...env, PORT: String(port) } }), url }
  const settings = ['--bind', loopback, '--port', String(port), '--save', '', '--appendonly', 'no', '--maxmemory', '256mb']
  const spec: ProcessSpec = {
    name: 'redis',
    command: server,
    args: [...settings, '--maxmemory-policy', 'allkeys-lru', '--daemonize', 'no', '--dir', localDir],
    env,
    isReady: () => accepts(port),
  }
  return { spec, url }
}

/** valkey first: it is the one that is still free software. */
function findServer(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean)
  const paths = ['valkey-server', 'redis-server'].flatMap((name) => folders.map((folder) => join(folder, name)))
  return paths.find((path) => existsSync(path))
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: loopback, port })
    socket.setTimeout(1_000, () => socket.destroy())
    socket.once('connect', () => socket.write('PING\r\n'))
    socket.once('data', (reply) => {
      resolve(reply.toString().startsWith('+PONG'))
      socket.destroy()
    })
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
  })
}
