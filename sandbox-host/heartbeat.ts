// Tells the Worker that this host is there, how busy it is, and when it stops: at once when that changes, and every few seconds between. Whoever is
// not heard of for three beats is given no more work (workers/host-directory.ts), unless it said that it rests: without work for a minute a host
// says so and falls silent, until there is work again.
import { beatMs, restAfterMs, restBeatMs } from '../shared/host.ts'
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
  times?: { beatMs: number; restAfterMs: number; restBeatMs: number }
}

export type Heartbeat = {
  start: () => void
  /** From now on, beginning at once. */
  say: (state: HostState) => void
  /** There is work: whoever rests does so no more. */
  stir: () => void
  /** Says it a last time, until `until` at the latest. */
  end: (state: HostState, until: number) => Promise<void>
}

const usualTimes = { beatMs, restAfterMs, restBeatMs }

export function createHeartbeat({ host, load, workerUrl, secret, log, times = usualTimes }: HeartbeatOptions): Heartbeat {
  const url = new URL('/internal/hosts', workerUrl)
  let state: HostState = 'up'
  let lastAt = 0
  let lastSaid: HostState | undefined
  let lastWorkAt = Date.now()
  /** A Worker from before takes no such beat: hosts are deployed first. */
  let isRestKnown = true

  function stateNow(): HostState {
    if (load() > 0) lastWorkAt = Date.now()
    return state === 'up' && isRestKnown && Date.now() - lastWorkAt >= times.restAfterMs ? 'resting' : state
  }

  async function beat(): Promise<boolean> {
    const said = stateNow()
    if (said === 'resting' && lastSaid === said && Date.now() - lastAt < times.restBeatMs) return false
    // Two beats of one millisecond would have no order.
    lastAt = Math.max(Date.now(), lastAt + 1)
    const text = JSON.stringify({ ...host, state: said, load: load(), at: new Date(lastAt).toISOString() } satisfies HostBeat)
    const body = Buffer.from(text)
    const signature = signRequest({ secret, audience: 'worker', method: 'POST', path: url.pathname, body, now: Date.now() })
    const headers = { 'content-type': 'application/json', ...signature }
    const response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(answerMsMax) })
    const answer = await response.text()
    if (said === 'resting' && response.status === 400) isRestKnown = false
    if (!response.ok) throw new Error(`POST ${url.pathname} was answered ${response.status}: ${answer.slice(0, 300)}`)
    lastSaid = said
    return said !== stateNow()
  }

  const loop = new BackgroundLoop('heartbeat', { step: beat, log, idleMs: times.beatMs, retryMsMax })
  return {
    start: () => loop.start(),
    say(next) {
      state = next
      loop.wake()
    },
    stir() {
      lastWorkAt = Date.now()
      if (lastSaid === 'resting') loop.wake()
    },
    async end(next, until) {
      state = next
      await loop.drain(until)
    },
  }
}
