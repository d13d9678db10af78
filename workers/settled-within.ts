// Waits for a promise, but not for ever.

/** @returns how it settled, or `late` when it did not within `waitMs`; it goes on by itself then */
export function settledWithin<T>(promise: Promise<T>, waitMs: number): Promise<PromiseSettledResult<T> | 'late'> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve('late'), waitMs)
    const settle = (result: PromiseSettledResult<T>) => {
      clearTimeout(timer)
      resolve(result)
    }
    promise.then(
      (value) => settle({ status: 'fulfilled', value }),
      (reason: unknown) => settle({ status: 'rejected', reason }),
    )
  })
}
