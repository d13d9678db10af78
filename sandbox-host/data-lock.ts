// One process per data directory: two journals over the same files would destroy each other. The lock is a listening local socket,
// which the system releases with its process, however that ends.
import { createHash } from 'node:crypto'
import { mkdir, realpath, unlink } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import type { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Log } from './log.ts'

export type DataLock = { release: () => Promise<void> }

const retryMs = 100

/**
 * Takes the lock of `directory`; a former host that is still draining is waited for.
 * @throws Error when another process holds it for longer than `waitMs`
 */
export async function lockData(directory: string, { waitMs, log }: { waitMs: number; log: Log }): Promise<DataLock> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const path = socketPath(await realpath(directory))
  const until = Date.now() + waitMs
  for (let attempt = 0; ; attempt++) {
    const server = await tryListen(path)
    if (server) return { release: () => new Promise((resolve) => server.close(() => resolve())) }
    if (Date.now() >= until) throw new Error(`DATA_DIR ${directory} is in use by another host: stop that one, or set another DATA_DIR`)
    if (attempt === 0) log.warn({ directory, waitMs }, 'another host uses the data directory; waiting for it to finish')
    if (await isAbandoned(path)) await unlink(path).catch(() => {})
    else await new Promise((resolve) => setTimeout(resolve, retryMs))
  }
}

function socketPath(directory: string): string {
  const name = `agent-bounty-${createHash('sha256').update(directory).digest('hex').slice(0, 32)}`
  // Linux has names that are no files; elsewhere a file in the temporary directory, short enough for a socket's path.
  return process.platform === 'linux' ? `\0${name}` : join(tmpdir(), `${name}.lock`)
}

function tryListen(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.unref()
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)))
    server.listen(path, () => resolve(server))
  })
}

/** A socket's file outlives a killed process; nobody answers behind it then. */
function isAbandoned(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => resolve(false)).once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'))
    socket.once('close', () => socket.destroy())
  })
}
