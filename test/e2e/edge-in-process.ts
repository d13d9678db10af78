// The edge API in this process, over the real database and host of the local cloud, where a test must hold what no running edge lets it: the
// address of the cache, the limits, and what is asked of the database.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { neonConfig } from '@neondatabase/serverless'
import { inject } from 'vitest'
import { z } from 'zod'
import type { RateLimits } from '../../shared/rate-limit.ts'
import { createApp } from '../../workers/app.ts'
import { createServices, type Services } from '../../workers/services.ts'

/** No test runs into them by accident. */
const limit = { requests: 100_000, windowMs: 60_000 }
const looseLimits: RateLimits = { account: { name: 'account', ...limit }, address: { name: 'address', ...limit } }
const secretsSchema = z.object({ sandboxSecret: z.string(), webhookEncryptionKey: z.string() })

// Bodies are what the API says they are; each test asserts the fields that it reads.
// oxlint-disable-next-line typescript/no-explicit-any
type Answer = { status: number; headers: Headers; body: any }

export type EdgeCallOptions = { key?: string | undefined; body?: unknown }
export type EdgeInProcess = {
  call: (method: string, path: string, options?: EdgeCallOptions) => Promise<Answer>
  services: Services
}

/** A new isolate: nothing is in its memory. */
export function edgeInProcess({
  upstash,
  rateLimits = looseLimits,
}: { upstash?: { url: string; token: string }; rateLimits?: RateLimits } = {}): EdgeInProcess {
  const stack = inject('stack')
  const secrets = secretsSchema.parse(JSON.parse(readFileSync(join(stack.localDir, 'secrets.json'), 'utf8')))
  const { url, token } = upstash ?? stack.upstash
  const refuse = () => Promise.reject(new Error('there is neither bucket nor queue in this process'))
  const services: Services = {
    ...createServices({
      DATABASE_URL: stack.neon.url,
      NEON_HTTP_ENDPOINT: stack.neon.endpoint,
      UPSTASH_REDIS_REST_URL: url,
      UPSTASH_REDIS_REST_TOKEN: token,
      WEBHOOK_ENCRYPTION_KEY: secrets.webhookEncryptionKey,
      SANDBOX_URL: stack.hostUrl,
      SANDBOX_SECRET: secrets.sandboxSecret,
      ADMIN_KEY_SHA256: createHash('sha256').update(stack.adminKey).digest('hex'),
      ARTIFACTS: { head: refuse, get: refuse, put: refuse, list: refuse, delete: refuse },
      EVENT_QUEUE: { sendBatch: refuse, metrics: refuse },
    }),
    rateLimits,
    log: { info: () => {}, error: () => {} },
  }
  const app = createApp(services)
  return {
    services,
    async call(method, path, { key, body } = {}) {
      const response = await app.request(path, {
        method,
        headers: {
          'cf-connecting-ip': '2001:db8::1',
          ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await response.text()
      return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
    },
  }
}

const statementSchema = z.object({ query: z.string(), params: z.array(z.unknown()) })
export type AskedStatement = z.infer<typeof statementSchema>

/** What `work` asks of the database, one entry for each HTTP request. */
export async function askedWhile(work: () => Promise<unknown>): Promise<AskedStatement[][]> {
  const asked: AskedStatement[][] = []
  neonConfig.fetchFunction = async (url: string, init: RequestInit & { body: string }) => {
    const body: unknown = JSON.parse(init.body)
    asked.push(
      z
        .union([statementSchema.transform((one) => [one]), z.object({ queries: z.array(statementSchema) }).transform((all) => all.queries)])
        .parse(body),
    )
    return fetch(url, init)
  }
  try {
    await work()
  } finally {
    neonConfig.fetchFunction = undefined
  }
  return asked
}
