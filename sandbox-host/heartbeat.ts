// Tells the Worker that this host is there, how busy it is, and when it stops: at once when that changes, and every few seconds between. Whoever is
// not heard of for three beats is given no more work (workers/host-directory.ts).
import { beatMs } from '../shared/host.ts'
import type { HostBeat, HostState } from '../shared/host.ts'
import { BackgroundLoop } from './background-loop.ts'
import type { Log } from './log.ts'
import { signRequest } from './signature.ts'

/** A host that cannot say that it is there is given no work: it tries again soon. */
const retryMsMax = 500
const answerMsMax = 5_000

export type HeartbeatOptions = {
  host: Omit<HostBeat, 'state' | 'load' | 'at'>
  load: () => number
  workerUrl: string
  secret: string
  log: Log
}

export type Heartbeat = {
  start: () => void
  /** From now on, beginning at once. */
  say: (state: HostState) => void
  /** Says it a last time, until `until` at the latest. */
  end: (state: HostState, until: number) => Promise<void>
}

export function createHeartbeat({ host, load, workerUrl, secret, log }: HeartbeatOptions): Heartbeat {
  const url = new URL('/internal/hosts', workerUrl)
  let state: HostState = 'up'
  let lastAt = 0

  async function beat(): Promise<boolean> {
    const said = state
    // Two beats of one millisecond would have no order.
    lastAt = Math.max(Date.now(), lastAt + 1)
    const text = JSON.stringify({ ...host, state: said, load: load(), at: new Date(lastAt).toISOString() } satisfies HostBeat)
    const body = Buffer.from(text)
    const signature = signRequest({ secret, audience: 'worker', method: 'POST', path: url.pathname, body, now: Date.now() })
    const headers = { 'content-type': 'application/json', ...signature }
    const response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(answerMsMax) })
    const answer = await response.text()
    if (!response.ok) throw new Error(`POST ${url.pathname} was answered ${response.status}: ${answer.slice(0, 300)}`)
    return said !== state
  }

  const loop = new BackgroundLoop('heartbeat', { step: beat, log, idleMs: beatMs, retryMsMax })
  return {
    start: () => loop.start(),
    say(next) {
      state = next
      loop.wake()
    },
    async end(next, until) {
      state = next
      await loop.drain(until)
    },
  }
}
