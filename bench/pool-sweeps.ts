// What the two settings of the warm pool buy: how many instances wait for a program, against bursts of different size; how long they live,
// against programs that are run more or less often.
import { runLimits } from '../sandbox-host/sandbox-engine.ts'
import type { NativeEngine } from '../sandbox-host/engine/native-engine.ts'
import { createNativeForBench } from './native.ts'
import { median, pseudoRandom, quantile } from './statistics.ts'

const request = { input: '{"n":1}', seed: 0, startTimeMs: 0, limits: runLimits('basic') }

async function prepareNoop(native: NativeEngine, mark = 0): Promise<number> {
  const prepared = await native.prepare('script', Buffer.from(`export default (input) => input // ${mark}`), runLimits('basic'))
  if (!prepared.ok) throw new Error(prepared.message)
  return prepared.handle
}

/** @param bursts so many at once of one program, each burst after the pool had time to fill @param seconds of 64 in flight */
export type SizeOptions = { bursts: number; burst: number; seconds: number }
export type SizeRow = { size: number; startP50Micros: number; burstP99Micros: number; pooledShare: number; perSecond: number }

/** One size after the other. */
export async function sweepSizes(sizes: readonly number[], { bursts, burst, seconds }: SizeOptions): Promise<SizeRow[]> {
  const rows: SizeRow[] = []
  for (const size of sizes) {
    const native = createNativeForBench({ slots: 64, warmPerProgram: size, warmTotal: size })
    try {
      const handle = await prepareNoop(native)
      const starts: number[] = []
      const waits: number[] = []
      let pooled = 0
      for (let at = 0; at < bursts; at++) {
        await new Promise((resolve) => setTimeout(resolve, 15))
        await Promise.all(
          Array.from({ length: burst }, async () => {
            const began = performance.now()
            const { startMicros, wasWarm } = await native.run(handle, request)
            waits.push((performance.now() - began) * 1e3)
            starts.push(startMicros)
            pooled += wasWarm ? 1 : 0
          }),
        )
      }
      rows.push({
        size,
        startP50Micros: median(starts),
        burstP99Micros: quantile(waits, 0.99),
        pooledShare: pooled / (bursts * burst),
        perSecond: await throughput((at) => native.run(handle, at), { inFlight: 64, seconds }),
      })
    } finally {
      native.close()
    }
  }
  return rows
}

export async function throughput(
  work: (given: typeof request) => Promise<unknown>,
  { inFlight, seconds }: { inFlight: number; seconds: number },
): Promise<number> {
  const began = performance.now()
  let done = 0
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (performance.now() - began < seconds * 1e3) {
        await work(request)
        done++
      }
    }),
  )
  return done / ((performance.now() - began) / 1e3)
}

export type LifetimeRow = { lifetimeMs: number; gapMs: number; runs: number; pooledShare: number }
export type Lifetimes = { rows: LifetimeRow[]; made: { lifetimeMs: number; made: number; expired: number; hits: number }[] }

/** An engine for each lifetime and a program for each gap, all at the same time: they do nearly nothing. */
export async function sweepLifetimes(
  lifetimesMs: readonly number[],
  { gapsMs, seconds }: { gapsMs: readonly number[]; seconds: number },
): Promise<Lifetimes> {
  const engines = lifetimesMs.map((lifetimeMs) => ({
    lifetimeMs,
    native: createNativeForBench({ threads: 1, warmPerProgram: 1, warmLifetimeMs: lifetimeMs }),
  }))
  try {
    const rows = await Promise.all(
      engines.flatMap(({ native, lifetimeMs }) =>
        gapsMs.map(async (gapMs, at) => {
          const handle = await prepareNoop(native, at)
          const random = pseudoRandom(at + 1)
          const began = performance.now()
          let [runs, pooled] = [0, 0]
          for (;;) {
            // As independent callers come.
            const pauseMs = -Math.log(1 - random()) * gapMs
            if (performance.now() - began + pauseMs > seconds * 1e3) break
            await new Promise((resolve) => setTimeout(resolve, pauseMs))
            const { wasWarm } = await native.run(handle, request)
            runs++
            pooled += wasWarm ? 1 : 0
          }
          return { lifetimeMs, gapMs, runs, pooledShare: runs > 0 ? pooled / runs : Number.NaN }
        }),
      ),
    )
    const made = engines.map(({ native, lifetimeMs }) => {
      const { warmMade, warmExpired, warmHits } = native.stats()
      return { lifetimeMs, made: warmMade, expired: warmExpired, hits: warmHits }
    })
    return { rows, made }
  } finally {
    for (const { native } of engines) native.close()
  }
}
