// POST requests with an Idempotency-Key have one effect and one answer, however often they arrive. The claim is a row in Postgres before
// the work begins; the answer is kept in it before it leaves. When a Worker is lost in between, the claim lapses and the next request
// tries again with the same ids, so that it finds what the first one did. Without the header nothing of this happens.
import type { Context } from 'hono'
import { z } from 'zod'
import type { Principal } from '../shared/account.ts'
import { idempotencyKeySchema } from '../shared/idempotency.ts'
import { makeId, type IdKind } from '../shared/ids.ts'
import type { ClaimedKey, IdempotencyClaim, KeptAnswer } from '../shared/ports.ts'
import { ProblemError, problemTable } from '../shared/problem.ts'
import type { AppEnv } from './app-env.ts'
import { goOn } from './background.ts'
import { sha256Hex } from './hex.ts'
import { errorText } from './log.ts'
import { newId } from './new-id.ts'
import { problemResponse } from './problem-response.ts'
import { parseWith } from './request-issues.ts'
import type { Services } from './services.ts'

/** How often a request looks whether the first one has been answered, before it is told to come back: 1.6 s in all. */
const waitsMs = [50, 100, 200, 400, 800]

const headerSchema = z.object({ 'Idempotency-Key': idempotencyKeySchema })

/** One try at a request. Under an Idempotency-Key every try at it makes the same id of a kind; otherwise ids are fresh. */
export type Attempt = {
  newId: (kind: IdKind) => string
  /** An earlier try may have had its effect: look for it under the id. */
  isRetry: boolean
  /** When the first try began. */
  firstAt: string
}

export type Once = (
  c: Context<AppEnv>,
  request: { caller: Principal; body: unknown; secrets: readonly string[] },
  handle: (attempt: Attempt) => Response | Promise<Response>,
) => Promise<Response>

export function firstAttempt(now: () => number): Attempt {
  const at = now()
  return {
    newId: (kind) => newId(kind, now()),
    isRetry: false,
    // Most requests never ask.
    get firstAt() {
      return new Date(at).toISOString()
    },
  }
}

/** Throws ProblemError `idempotency-key-reused`, `idempotency-in-progress`, and whatever `handle` throws that is worth a retry. */
export function createOnce({ idempotency, log, now, sleep }: Services): Once {
  async function claimed(claim: Omit<IdempotencyClaim, 'at'>): Promise<Exclude<ClaimedKey, { state: 'in-progress' }>> {
    for (const waitMs of [...waitsMs, undefined]) {
      const found = await idempotency.claim({ ...claim, at: new Date(now()).toISOString() })
      if (found.state === 'claimed') return found
      if (found.requestSha256 !== claim.requestSha256) throw reused(claim.key)
      if (found.state === 'answered') return found
      if (waitMs !== undefined) await sleep(waitMs)
    }
    throw new ProblemError('idempotency-in-progress', {
      detail: `the first request with the Idempotency-Key ${JSON.stringify(claim.key)} is still under way; repeat this one to get its answer`,
      retryAfterSeconds: 1,
    })
  }

  return async (c, { caller, body, secrets }, handle) => {
    const key = parseWith(headerSchema, { 'Idempotency-Key': c.req.header('idempotency-key') })['Idempotency-Key']
    const owner = caller.role === 'admin' ? 'admin' : caller.accountId
    const requestSha256 = await sha256Hex(`${c.req.method} ${c.req.path}\n${JSON.stringify(body)}`)
    const claim = { owner, key, requestSha256, claim: crypto.randomUUID() }
    const found = await claimed(claim)
    if (found.state === 'answered') return replay(c, found.answer)

    const attempt = await attemptOf(claim, found)
    const work = async () => {
      let response: Response
      try {
        response = await handle(attempt)
      } catch (error) {
        // What a retry may mend is not kept: retrying is what the key is for.
        if (!(error instanceof ProblemError) || problemTable[error.code].retryable) {
          await idempotency.release(claim).catch((cause: unknown) => log.error('claim not released', { error: errorText(cause) }))
          throw error
        }
        response = problemResponse(c, { error, log })
      }
      const answer = await keptAnswer(response.clone(), secrets)
      // The effect is there: the caller gets its answer, and a retry will find the effect.
      await idempotency.answer(claim, answer).catch((cause: unknown) => log.error('answer not kept', { error: errorText(cause) }))
      return response
    }
    const working = work()
    // A caller that hangs up is about to come back with the same key.
    goOn(c, working)
    return working
  }
}

async function attemptOf(
  { owner, key }: Pick<IdempotencyClaim, 'owner' | 'key'>,
  { firstAt, isRetry }: { firstAt: string; isRetry: boolean },
): Promise<Attempt> {
  const text = new TextEncoder().encode(`agent-bounty-idempotency\n${owner}\n${key}\n${firstAt}`)
  const random = new Uint8Array(await crypto.subtle.digest('SHA-256', text))
  return { newId: (kind) => makeId(kind, { at: Date.parse(firstAt), random }), isRetry, firstAt }
}

async function keptAnswer(response: Response, secrets: readonly string[]): Promise<KeptAnswer> {
  const text = await response.text()
  return {
    status: response.status,
    contentType: response.headers.get('content-type') ?? '',
    location: response.headers.get('location'),
    body: secrets.length > 0 && response.ok ? without(secrets, text) : text,
  }
}

function without(secrets: readonly string[], text: string): string {
  const fields = z.record(z.string(), z.unknown()).parse(JSON.parse(text))
  return JSON.stringify(Object.fromEntries(Object.entries(fields).filter(([name]) => !secrets.includes(name))))
}

function replay(c: Context<AppEnv>, { status, contentType, location, body }: KeptAnswer): Response {
  const headers = { 'content-type': contentType, 'idempotency-replayed': 'true', ...(location === null ? {} : { location }) }
  // It was the status of an answer with a body when it was kept.
  return c.body(body, status as 200, headers)
}

function reused(key: string): ProblemError {
  return new ProblemError('idempotency-key-reused', {
    detail: `the Idempotency-Key ${JSON.stringify(key)} came with another request before; use a new key for a new request`,
  })
}
