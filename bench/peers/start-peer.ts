// Starts a peer as a process of its own, so that it shares no thread with the load generator.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

const readySchema = z.object({ type: z.literal('ready'), port: z.number() })

export type Peer = { url: string; stop: () => Promise<void> }

/** @param file under bench/peers, a child as local/run-child.ts makes them */
export async function startPeer(file: string, env: Record<string, string> = {}): Promise<Peer> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), { env: { ...process.env, NODE_ENV: 'production', ...env } })
  const ended = once(child, 'exit')
  const [message] = await Promise.race([
    once(child, 'message'),
    ended.then(() => {
      throw new Error(`the peer ${file} ended before it was ready`)
    }),
  ])
  const { port } = readySchema.parse(message)
  return {
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      child.kill('SIGTERM')
      await ended
    },
  }
}
