// Starts a peer as a process of its own, so that it shares no thread with the load generator.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

const readySchema = z.object({ type: z.literal('ready'), port: z.number() })

/** What a guest's loop may keep a peer from hearing that it is to end. */
const endWallMsMax = 5_000

export type Peer = { url: string; pid: number; stop: () => Promise<void> }

/** @param file under bench/peers, a child as local/run-child.ts makes them @param flags of Node */
export async function startPeer(file: string, env: Record<string, string> = {}, flags: string[] = []): Promise<Peer> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), {
    env: { ...process.env, NODE_ENV: 'production', ...env },
    execArgv: [...process.execArgv, ...flags],
  })
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
    pid: child.pid ?? 0,
    stop: async () => {
      child.kill('SIGTERM')
      const impatient = setTimeout(() => child.kill('SIGKILL'), endWallMsMax)
      await ended
      clearTimeout(impatient)
    },
  }
}
