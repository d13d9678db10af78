// How often a caller may ask: so many requests in each window of the clock. An account's keys share one budget, or a key more would be a
// budget more; requests that no account answers for are counted by their address.

export type RateLimit = { name: string; requests: number; windowMs: number }

/** 20 a second on average; whoever runs more than that asynchronously is bounded by its share of the hosts. */
const accountRequestsMax = 1_200
/** Public reads, and keys that are not known yet: a page of the board makes a handful, a guesser of keys millions. */
const addressRequestsMax = 600
const windowMs = 60_000

export type RateLimits = { account: RateLimit; address: RateLimit }

export const rateLimits: RateLimits = {
  account: { name: 'account', requests: accountRequestsMax, windowMs },
  address: { name: 'address', requests: addressRequestsMax, windowMs },
}

/** @returns when the window that is open at `now` began; windows of all isolates begin together */
export function windowStart({ windowMs: length }: RateLimit, now: number): number {
  return Math.floor(now / length) * length
}
