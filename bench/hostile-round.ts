// Honest requests while somebody runs an endless loop again and again: what is left for the honest ones, and whether the loop is ended.
import type { Contender } from './contender.ts'
import { load, type LoadRound } from './load.ts'
import { treeCpuMs } from './process-tree.ts'

/** As many as cores: whoever gives each loop one has none left. */
const hostileConnections = 2
export const honestConnections = 16

/** Beyond its limit, for what the machine does beside it. */
const graceMs = 3_000
const refusedPauseMs = 100
const quietMs = 200
/** A loop takes what it gets of a core, on a busy machine a fifth; a server that has nothing to do takes nothing. */
const quietCoresMax = 0.1

export type HostileRound = {
  honest: LoadRound
  /** Answers to the hostile requests: why each was ended, and after how long. */
  hostile: { why: string; ms: number }[]
  /** All of them were answered, and nothing spins any more. */
  isEnded: boolean
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
      if (answer.kind === 'refused') await pause(refusedPauseMs)
      else hostile.push({ why: answer.why, ms: performance.now() - began })
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
    settled.then((results) => results.every(({ status }) => status === 'fulfilled')),
    pause(contender.wallMsMax + graceMs, patience.signal).then(() => false),
  ])
  patience.abort()
  gone.abort()
  await settled
  return { honest, hostile, isEnded: areAnswered && (await isQuiet(contender.pid())) }
}

async function isQuiet(pid: number): Promise<boolean> {
  const deadline = performance.now() + graceMs
  while (performance.now() < deadline) {
    const before = treeCpuMs(pid)
    await pause(quietMs)
    if ((treeCpuMs(pid) - before) / quietMs < quietCoresMax) return true
  }
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
