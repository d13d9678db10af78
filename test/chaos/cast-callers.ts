// The accounts of a storm, made while the weather is fine: a patron with credits, two authors with agents, and webhooks for all of them.
import { z } from 'zod'
import type { Stack } from '../../local/stack.ts'
import type { Caller } from './caller.ts'
import { sources } from './programs.ts'
import type { Account, Author, Cast } from './workload.ts'

const accountSchema = z.object({ id: z.string(), key: z.string() })
const identifiedSchema = z.object({ id: z.string() })

/** More than a storm can put into bounties. */
const patronCredits = 1_000_000

export type CastOptions = { stack: Pick<Stack, 'baseUrl' | 'adminKey'>; caller: Caller; webhookUrl: string }

export async function castCallers({ stack: { baseUrl, adminKey }, caller, webhookUrl }: CastOptions): Promise<Cast> {
  async function post<T>(path: string, { body, key, schema }: { body: unknown; key: string; schema: z.ZodType<T> }): Promise<T> {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
    const response = await fetch(baseUrl + path, { method: 'POST', headers, body: JSON.stringify(body) })
    const text = await response.text()
    if (!response.ok) throw new Error(`POST ${path} answered ${response.status}: ${text.slice(0, 500)}`)
    return schema.parse(JSON.parse(text))
  }

  async function makeAccount(name: string): Promise<Account> {
    // A storm is no reason to be told to slow down.
    const account = await post('/api/accounts', { body: { name, rateLimited: false }, key: adminKey, schema: accountSchema })
    await post('/api/webhooks', { body: { url: webhookUrl }, key: account.key, schema: identifiedSchema })
    return account
  }

  async function deploy({ key }: Account, { name, source }: { name: string; source: string }): Promise<string> {
    return (await post('/api/agents', { body: { name, kind: 'script', source }, key, schema: identifiedSchema })).id
  }

  async function makeAuthor(name: string): Promise<Author> {
    const account = await makeAccount(name)
    return {
      ...account,
      right: await deploy(account, { name: `${name}-right`, source: sources.right }),
      wrong: await deploy(account, { name: `${name}-wrong`, source: sources.wrong }),
      moving: await deploy(account, { name: `${name}-moving`, source: sources.right }),
    }
  }

  const patron = await makeAccount('patron')
  const reason = 'storm'
  const mint = { path: `/api/accounts/${patron.id}/credits`, body: { credits: patronCredits, reason }, apiKey: adminKey }
  await caller.perform({ kind: 'mint', accountId: patron.id, credits: patronCredits, reason }, mint)
  const checker = await deploy(patron, { name: 'checker', source: sources.checker })
  return { adminKey, patron, checker, authors: [await makeAuthor('author-one'), await makeAuthor('author-two')] }
}
