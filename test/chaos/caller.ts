// Sends requests as a careful client does: each under an Idempotency-Key, again and again until there is an answer that counts, and at times
// twice at once. Keeps what it was told.
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { Aim, Deed } from './deed.ts'
import type { SeededRandom } from './seeded-random.ts'

export type CallerOptions = {
  baseUrl: string
  random: SeededRandom
  /** Whoever has no answer by then never will. */
  giveUp: AbortSignal
}

/** What is not a POST has no Idempotency-Key: the same again changes nothing more. */
export type Request = { method?: 'POST' | 'PATCH' | 'DELETE'; path: string; body?: unknown; apiKey: string; prefersAsync?: boolean }

/** So long one answer is waited for; then the same is sent again. */
const answerMsMax = 8_000
/** So long whoever sends a request waits for it, before going on with something else. */
const patienceMs = 4_000
/** So often a request is sent twice at once. */
const twiceOneOf = 0.1
const pauseMsMax = 2_000

const problemSchema = z.object({ code: z.string(), retryable: z.boolean() })

type Told = { status: number; text: string }

export class Caller {
  readonly deeds: Deed[] = []
  /** Statuses and codes to how often they were answered; `none` is no answer. */
  readonly answers: Record<string, number> = {}
  readonly #options: CallerOptions
  readonly #underWay = new Set<Promise<unknown>>()
  #keys = 0

  constructor(options: CallerOptions) {
    this.#options = options
  }

  get unanswered(): number {
    return this.#underWay.size
  }

  /** @returns the answer's body; undefined when it was refused, or is not there while patience lasts: then it may still come */
  async perform(aim: Aim, request: Request): Promise<unknown> {
    const deed: Deed = { key: `storm-${++this.#keys}`, aim, answers: [], refusal: undefined, seen: [] }
    this.deeds.push(deed)
    const times = this.#options.random.isHit(twiceOneOf) ? 2 : 1
    const sent = Array.from({ length: times }, () => this.#track(this.#insist(deed, request)))
    await Promise.race([...sent, sleep(patienceMs, undefined, { ref: false })])
    return deed.answers[0]
  }

  /** Reads until `isLast` says so or the caller gives up. */
  follow<T>(path: string, apiKey: string, { schema, each }: { schema: z.ZodType<T>; each: (found: T) => boolean }): Promise<T | undefined> {
    const follow = async () => {
      for (let pauseMs = 100; !this.#options.giveUp.aborted; pauseMs = Math.min(pauseMs * 2, pauseMsMax)) {
        const told = await this.#send('GET', path, { apiKey })
        if (told?.status === 200) {
          const found = schema.parse(JSON.parse(told.text))
          if (each(found)) return found
        }
        await this.#pause(pauseMs)
      }
      return undefined
    }
    const following = this.#track(follow())
    return Promise.race([following, sleep(patienceMs, undefined, { ref: false })])
  }

  /** Resolves when nothing is under way any more. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay)
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work)
    const forget = () => this.#underWay.delete(work)
    work.then(forget, forget)
    return work
  }

  async #insist(deed: Deed, request: Request): Promise<void> {
    for (let pauseMs = 50; !this.#options.giveUp.aborted; pauseMs = Math.min(pauseMs * 2, pauseMsMax)) {
      const { method = 'POST', path, ...rest } = request
      const told = await this.#send(method, path, { ...rest, idempotencyKey: method === 'POST' ? deed.key : undefined })
      if (told && this.#hasEnded(deed, told)) return
      await this.#pause(pauseMs)
    }
  }

  #hasEnded(deed: Deed, { status, text }: Told): boolean {
    if (status < 300) {
      const body: unknown = JSON.parse(text)
      const known = deed.answers.map((answer) => sha256(JSON.stringify(answer)))
      if (!known.includes(sha256(JSON.stringify(body)))) deed.answers.push(body)
      return true
    }
    const problem = problemOf(text)
    // What is no problem of ours is the word of something in between.
    if (!problem || problem.retryable) return false
    deed.refusal = problem.code
    return true
  }

  async #send(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    { apiKey, body, idempotencyKey, prefersAsync }: Omit<Request, 'method' | 'path'> & { idempotencyKey?: string | undefined },
  ): Promise<Told | undefined> {
    const headers: Record<string, string> = { authorization: `Bearer ${apiKey}` }
    if (body !== undefined) headers['content-type'] = 'application/json'
    if (prefersAsync) headers['prefer'] = 'respond-async'
    if (idempotencyKey !== undefined) headers['idempotency-key'] = idempotencyKey
    const signal = AbortSignal.any([AbortSignal.timeout(answerMsMax), this.#options.giveUp])
    try {
      const init = { method, headers, signal, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
      const response = await fetch(this.#options.baseUrl + path, init)
      const text = await response.text()
      this.#count(response.ok ? String(response.status) : `${response.status} ${problemOf(text)?.code ?? ''}`.trim())
      return { status: response.status, text }
    } catch {
      this.#count('none')
      return undefined
    }
  }

  #count(answer: string): void {
    this.answers[answer] = (this.answers[answer] ?? 0) + 1
  }

  async #pause(pauseMs: number): Promise<void> {
    await sleep(pauseMs, undefined, { signal: this.#options.giveUp }).catch(() => {})
  }
}

function problemOf(text: string): z.infer<typeof problemSchema> | undefined {
  try {
    return problemSchema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
