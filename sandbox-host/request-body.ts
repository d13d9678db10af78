// Reads and checks what arrives, with the same clear answers on every route: too large, not JSON, not of the schema.
import type { Context } from 'hono'
import type { z } from 'zod'
import { ProblemError } from '../shared/problem.ts'

/** Enough to see the pattern; a body of a thousand mistakes is not answered with a thousand lines. */
const issuesMax = 10

/** Bodies that may be on their way at once. They are read before their signature can be checked, so strangers could fill the memory. */
const bytesUnderWayMax = 64 * 1024 * 1024

export class BodyReader {
  #bytesUnderWay = 0

  /** @throws ProblemError `body-too-large`, `overloaded`, or `invalid-request` without a Content-Length, which is what bounds the read */
  async read(c: Context, bytesMax: number): Promise<Buffer> {
    const declared = c.req.header('content-length')
    if (declared === undefined) throw new ProblemError('invalid-request', { detail: 'a POST needs the header Content-Length' })
    // Node's parser ends the body at exactly the length that was declared.
    const bytes = Number(declared)
    if (bytes > bytesMax)
      throw new ProblemError('body-too-large', { detail: `the body is ${bytes} bytes; at most ${bytesMax} are allowed` })
    if (this.#bytesUnderWay + bytes > bytesUnderWayMax) {
      throw new ProblemError('overloaded', { detail: 'too many large bodies are on their way', retryAfterSeconds: 1 })
    }
    this.#bytesUnderWay += bytes
    try {
      return Buffer.from(await c.req.arrayBuffer())
    } finally {
      this.#bytesUnderWay -= bytes
    }
  }
}

/** @throws ProblemError `malformed-json`, `invalid-request` with the fields */
export function parseBody<T extends z.ZodType>(schema: T, body: Buffer): z.infer<T> {
  let value: unknown
  try {
    value = JSON.parse(body.toString('utf8'))
  } catch (cause) {
    throw new ProblemError('malformed-json', { detail: `the body of ${body.length} bytes is not JSON`, cause })
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.slice(0, issuesMax).map((issue) => ({ field: issue.path.join('.') || 'body', message: issue.message }))
  throw new ProblemError('invalid-request', { detail: `${issues[0]?.field}: ${issues[0]?.message}`, issues })
}
