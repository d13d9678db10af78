// What the command line asks the API. The address and the key come from the environment, so that no key stands in a shell's history.
import { z } from 'zod'
import { UsageError } from './usage-error.ts'

export const urlDefault = 'http://127.0.0.1:8787'

/** Where to ask: what was typed, else BOUNTY_URL, else the local edge. */
export function apiUrl(typed: string | undefined): string {
  const url = typed ?? process.env['BOUNTY_URL'] ?? urlDefault
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url
  throw new UsageError(`the address is ${JSON.stringify(url)}; it must be an http or https URL such as ${urlDefault}`)
}

/** An answer that is no success; the message says what was asked and what was answered. */
export class ApiError extends Error {
  readonly code: string | undefined

  constructor(message: string, code: string | undefined) {
    super(message)
    this.code = code
  }
}

export type Question = {
  url: string
  path: string
  /** Sent as JSON, with POST. */
  body?: unknown
  /** 15 when absent. */
  secondsMax?: number
}

const problemSchema = z.object({ code: z.string(), detail: z.string().optional(), title: z.string().optional() })

/** @throws ApiError; UsageError where a key is missing or unknown */
export async function askApi<T extends z.ZodType>(schema: T, question: Question): Promise<z.infer<T>> {
  const { path, body } = question
  const asked = `${body === undefined ? 'GET' : 'POST'} ${path}`
  const answer = await send(question)
  if (answer.status === 401) throw new UsageError(`${asked} needs the key of your account in the variable BOUNTY_KEY`)
  if (!answer.ok) {
    const problem = problemSchema.safeParse(answer.body).data
    const reason = problem?.detail ?? problem?.title
    throw new ApiError(`${asked} answered ${answer.status}${reason === undefined ? '' : `: ${reason}`}`, problem?.code)
  }
  const parsed = schema.safeParse(answer.body)
  if (parsed.success) return parsed.data
  throw new Error(`${asked} answered something else than was asked for: ${z.prettifyError(parsed.error).slice(0, 300)}`)
}

type Answer = { status: number; ok: boolean; body: unknown }

async function send({ url, path, body, secondsMax }: Question): Promise<Answer> {
  const key = process.env['BOUNTY_KEY']
  const address = new URL(path, url)
  const headers = {
    ...(key ? { authorization: `Bearer ${key}` } : {}),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  }
  const sent = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
  try {
    const response = await fetch(address, { headers, signal: AbortSignal.timeout((secondsMax ?? 15) * 1000), ...sent })
    const text = await response.text()
    return { status: response.status, ok: response.ok, body: parsedJson(text) }
  } catch (cause) {
    throw new Error(`${address.origin} does not answer`, { cause })
  }
}

/** @returns undefined for what is no JSON, such as the page of a proxy */
function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
