// Time and timers as one value, so that tests have their own.

export type Clock = {
  /** Milliseconds that only ever grow. */
  now: () => number
  /** @returns what cancels it */
  after: (ms: number, act: () => void) => () => void
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, act) {
    const timer = setTimeout(act, ms).unref()
    return () => clearTimeout(timer)
  },
}
