// Load over HTTP with autocannon: closed loops, so a slow server is asked less often, and waiting before a request is sent is not counted.
// autocannon's own histogram knows whole milliseconds and no p95; each answer's time is recorded here as well, in microseconds.
import { createHistogram } from 'node:perf_hooks'
import autocannon from 'autocannon'

/** Which quantiles a round keeps, in percent. */
export const percentiles = [1, 5, 10, 25, 50, 75, 90, 95, 97.5, 99, 99.9, 99.99] as const
export type Percentile = (typeof percentiles)[number]

export type Latencies = {
  /** Milliseconds, in the order of `percentiles`. */
  latencyMs: number[]
  maxMs: number
}
/** `failed`: errors of connections, time-outs, answers that are not 2xx, and those that `verifyBody` finds wrong. */
export type LoadRound = Latencies & { requests: number; perSecond: number; failed: number }

export function latencyAt({ latencyMs }: Latencies, percentile: Percentile): number {
  return latencyMs[percentiles.indexOf(percentile)] ?? Number.NaN
}

export class LatencyRecorder {
  readonly #micros = createHistogram()

  record(ms: number): void {
    this.#micros.record(Math.max(1, Math.round(ms * 1e3)))
  }

  get count(): number {
    return this.#micros.count
  }

  /** @returns nothing's latencies are NaN */
  latencies(): Latencies {
    const isEmpty = this.#micros.count === 0
    return {
      latencyMs: percentiles.map((percentile) => (isEmpty ? Number.NaN : this.#micros.percentile(percentile) / 1e3)),
      maxMs: isEmpty ? Number.NaN : this.#micros.max / 1e3,
    }
  }
}

export type LoadOptions = autocannon.Options & { connections: number; duration: number; onAnswer?: (ms: number) => void }

export function load({ onAnswer, ...options }: LoadOptions): Promise<LoadRound> {
  const recorder = new LatencyRecorder()
  return new Promise((resolve, reject) => {
    const instance = autocannon(options, (error: Error | null, result: autocannon.Result) => {
      if (error) return reject(error)
      resolve({
        requests: result['2xx'] - result.mismatches,
        perSecond: (result['2xx'] - result.mismatches) / result.duration,
        failed: result.errors + result.timeouts + result.non2xx + result.mismatches,
        ...recorder.latencies(),
      })
    })
    instance.on('response', (_client, _status, _bytes, ms) => {
      recorder.record(ms)
      onAnswer?.(ms)
    })
  })
}
