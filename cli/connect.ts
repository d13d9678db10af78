// The API as the command line asks it. The address and the key come from the environment, so that no key stands in a shell's history.
import { z } from 'zod'
import { createClient, type CallArguments, type Client, type JsonCall } from '../client/create-client.ts'
import { UsageError } from './usage-error.ts'

export const urlDefault = 'http://127.0.0.1:8787'

/** @param typed what was given with --url, else BOUNTY_URL, else the local edge. @throws UsageError when it is no address */
export function connect(typed: string | undefined): Client {
  return createClient({ url: apiUrl(typed), key: process.env['BOUNTY_KEY'] || undefined })
}

export function apiUrl(typed: string | undefined): string {
  const url = typed ?? process.env['BOUNTY_URL'] ?? urlDefault
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url
  throw new UsageError(`the address is ${JSON.stringify(url)}; it must be an http or https URL such as ${urlDefault}`)
}

/** A call whose answer is checked before anything relies on it: the API may be older or newer than this checkout. */
export async function ask<T extends z.ZodType, N extends JsonCall>(
  client: Client,
  schema: T,
  name: N,
  ...request: CallArguments<N>
): Promise<z.infer<T>> {
  return checked(schema, await client.call(name, ...request), name)
}

export function checked<T extends z.ZodType>(schema: T, answer: unknown, name: string): z.infer<T> {
  const parsed = schema.safeParse(answer)
  if (parsed.success) return parsed.data
  throw new Error(`${name} answered something else than was asked for: ${z.prettifyError(parsed.error).slice(0, 300)}`)
}
