// The few questions that the command line asks the API.
import { z } from 'zod'
import { UsageError } from './usage-error.ts'

const answerSecondsMax = 15

export async function askApi<T extends z.ZodType>(schema: T, { url, path }: { url: string; path: string }): Promise<z.infer<T>> {
  const key = process.env['BOUNTY_KEY']
  const address = new URL(path, url)
  let response: Response
  try {
    response = await fetch(address, {
      headers: key ? { authorization: `Bearer ${key}` } : {},
      signal: AbortSignal.timeout(answerSecondsMax * 1000),
    })
  } catch (cause) {
    throw new Error(`${address.origin} does not answer`, { cause })
  }
  const body: unknown = await response.json().catch(() => undefined)
  if (response.status === 401) throw new UsageError(`GET ${path} needs the key of your account in the variable BOUNTY_KEY`)
  if (!response.ok) {
    const problem = z.object({ detail: z.string() }).safeParse(body)
    throw new Error(`GET ${path} answered ${response.status}${problem.success ? `: ${problem.data.detail}` : ''}`)
  }
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  throw new Error(`GET ${path} answered something else than was asked for: ${z.prettifyError(parsed.error).slice(0, 300)}`)
}
