// Honest requests while somebody runs an endless loop again and again: what is left for the honest ones, and whether the loop is ended.
import type { Contender } from './contender.ts'
import { load, type LoadRound } from './load.ts'
import { runnableThreads } from './process-tree.ts'

/** As many as cores: whoever gives each loop one has none left. */
const hostileConnections = 2
export const honestConnections = 16

/** Beyond its limit, for what the machine does beside it. */
const graceMs = 3_000
const refusedPauseMs = 100
/** A thread that could run at every look is in a loop: work that ends lets it sleep in between, and a loop never does, however few cores it gets. */
const looks = { count: 20, everyMs: 25 }

export type HostileRound = {
  honest: LoadRound
  /** Answers to the hostile requests: what they were, why, and after how long. */
  hostile: { kind: 'ended' | 'refused'; why: string; ms: number }[]
  /** All of them were answered within their limit and some grace. */
  areAnswered: boolean
  /** Nothing spins any more. */
  isQuiet: boolean
}

export async function hostileRound(contender: Contender, { seconds, input }: { seconds: number; input: unknown }): Promise<HostileRound> {
  const gone = new AbortController()
  const hostile: HostileRound['hostile'] = []
  const over = new AbortController()
  const loops = Array.from({ length: hostileConnections }, async () => {
    while (!over.signal.aborted) {
      const began = performance.now()
      const answer = await contender.ask('loop', null, gone.signal)
      if (answer.kind === 'output') throw new Error(`${contender.name} says that an endless loop ended with ${answer.text}`)
      hostile.push({ ...answer, ms: performance.now() - began })
      if (answer.kind === 'refused') await pause(refusedPauseMs)
    }
  })
  const settled = Promise.allSettled(loops)
  const output = JSON.stringify(input)
  const honest = await load({
    ...contender.load('noop', input),
    connections: honestConnections,
    duration: seconds,
    verifyBody: (body) => contender.isRight(String(body), output),
  })
  over.abort()
  const patience = new AbortController()
  const areAnswered = await Promise.race([
    settled.then(() => true),
    pause(contender.wallMsMax + graceMs, patience.signal).then(() => false),
  ])
  patience.abort()
  gone.abort()
  for (const result of await settled) {
    if (result.status === 'rejected' && result.reason !== gone.signal.reason) throw result.reason
  }
  return { honest, hostile, areAnswered, isQuiet: await isQuiet(contender.pid()) }
}

async function isQuiet(pid: number): Promise<boolean> {
  const deadline = performance.now() + graceMs
  do {
    let spinning = runnableThreads(pid)
    for (let look = 1; look < looks.count && spinning.size > 0; look++) {
      await pause(looks.everyMs)
      const runnable = runnableThreads(pid)
      spinning = new Set([...spinning].filter((thread) => runnable.has(thread)))
    }
    if (spinning.size === 0) return true
  } while (performance.now() < deadline)
  return false
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal?.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
