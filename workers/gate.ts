// What a request passes before its route sees it: its key, the rate limit, and whether the key may do this.
//
//   without a key ─▶ limit of the address ─▶ public?
//   with a key ─▶ known here? (else limit of the address's look-ups, and one) ─▶ limit of the account ─▶ role ─▶ scope
import type { Context } from 'hono'
import type { Principal } from '../shared/account.ts'
import type { Scope } from '../shared/api-key.ts'
import { ProblemError } from '../shared/problem.ts'
import type { RateLimit } from '../shared/rate-limit.ts'
import type { AppEnv } from './app-env.ts'
import { createAuthenticate, type Credential } from './authenticate.ts'
import { goOn } from './background.ts'
import type { Take } from './rate-limiter.ts'
import type { Services } from './services.ts'

/**
 * Who may call: everybody, and neither key nor limit is looked at (`unchecked`); everybody (`public`); an account; the administrator; or
 * either of the two (`keyholder`).
 */
export type Access = 'unchecked' | 'public' | 'account' | 'admin' | 'keyholder'

/** `credential`: what speaks for the caller in place of the header Authorization; null is nobody. Pages alone give it. */
export type Admission = { access: Access; scope?: Scope | undefined; credential?: Credential | null }

/** Sets the `RateLimit-*` headers. Throws ProblemError `missing-key`, `unknown-key`, `expired-key`, `forbidden`, `rate-limited`. */
export type Gate = (c: Context<AppEnv>, admission: Admission) => Promise<Principal | undefined>

export function createGate(services: Services): Gate {
  const { limiter, rateLimits, now } = services
  const authenticate = createAuthenticate(services)

  function count(c: Context<AppEnv>, subject: string, { limit, isTold = true }: { limit: RateLimit; isTold?: boolean }): void {
    const { isAllowed, remaining, reset, report } = limiter.take(subject, limit)
    if (report) goOn(c, report())
    const headers = rateLimitHeaders(limit, { remaining, reset, now: now() })
    if (isTold || !isAllowed) Object.assign(c.get('answerHeaders'), headers)
    if (isAllowed) return
    const resetSeconds = Number(headers['ratelimit-reset'])
    const per = `${limit.requests} requests in ${limit.windowMs / 1_000} s`
    throw new ProblemError('rate-limited', {
      detail: `this ${limit.name} may make ${per}; the next window opens in ${resetSeconds} s`,
      retryAfterSeconds: resetSeconds,
    })
  }

  return async (c, { access, scope, credential: given }) => {
    if (access === 'unchecked') return undefined
    // Cloudflare sets it and lets no caller set it.
    const address = c.req.header('cf-connecting-ip')
    const authorization = c.req.header('authorization')
    const credential = given === undefined && authorization !== undefined ? { authorization } : (given ?? undefined)
    if (credential === undefined && address !== undefined) count(c, networkOf(address), { limit: rateLimits.address })
    // Counted apart: whoever reads much from an address must not keep out the keys behind it that this isolate has not seen yet. The
    // holder of a key is told of the account's limit only.
    const caller = await authenticate(credential, () => {
      if (address !== undefined) count(c, `key ${networkOf(address)}`, { limit: rateLimits.address, isTold: false })
    })
    if (caller?.role === 'account' && caller.isRateLimited) count(c, caller.accountId, { limit: rateLimits.account })
    return permitted(caller, { access, scope })
  }
}

export function rateLimitHeaders(limit: RateLimit, { remaining, reset, now }: Pick<Take, 'remaining' | 'reset'> & { now: number }) {
  return {
    'ratelimit-limit': String(limit.requests),
    'ratelimit-remaining': String(remaining),
    'ratelimit-reset': String(Math.max(1, Math.ceil((reset - now) / 1_000))),
  }
}

function permitted(caller: Principal | undefined, { access, scope }: Admission): Principal | undefined {
  if (access === 'public') return caller
  if (!caller) throw new ProblemError('missing-key', { detail: 'this call needs the header Authorization: Bearer <key>' })
  if (access !== 'keyholder' && caller.role !== access) {
    const needed = access === 'admin' ? "the administrator's key" : 'the key of an account; the administrator has none'
    throw new ProblemError('forbidden', { detail: `this call needs ${needed}` })
  }
  if (caller.role === 'admin' || scope === undefined || caller.scopes.includes(scope)) return caller
  throw new ProblemError('forbidden', {
    detail: `this call needs a key with the scope ${JSON.stringify(scope)}; the key ${caller.keyId} has ${caller.scopes.join(', ')}`,
  })
}

/** A household or a server has a whole /64 of IPv6 to choose addresses from, so that is what is counted. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address.slice(0, 64)
  const [before = '', after] = address.toLowerCase().split('::')
  const head = before.split(':').filter(Boolean)
  const tail = after === undefined ? [] : after.split(':').filter(Boolean)
  const zeros = Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => '0')
  return [...head, ...zeros, ...tail]
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, '').slice(0, 4))
    .join(':')
}
