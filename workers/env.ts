// What the deployment gives the Worker: bindings and variables of wrangler.toml, and secrets. Checked once; one bad value is one line that
// names it and never quotes a secret.
import { z } from 'zod'
import type { R2Binding } from './adapters/r2.ts'

const textSchema = z.object({
  DATABASE_URL: z.string().regex(/^postgres(ql)?:\/\//, 'must be a postgres:// URL'),
  /** Set on a developer's machine only: where the protocol of Neon's driver is spoken instead. */
  NEON_HTTP_ENDPOINT: z.url().optional(),
  UPSTASH_REDIS_REST_URL: z.url(),
  UPSTASH_REDIS_REST_TOKEN: z.string().min(1, 'must not be empty'),
  /** Origins of web pages that may call with a key, with commas between them. */
  CORS_ORIGINS: z
    .string()
    .default('')
    .transform((text) =>
      text
        .split(',')
        .map((origin) => origin.trim())
        .filter(Boolean),
    )
    .pipe(z.array(z.string().regex(/^https?:\/\/[^/\s]+$/, 'must be origins such as https://app.example.com, with commas between them'))),
  /** Secrets of webhooks are encrypted under it. With another one, those that there are sign no more. */
  WEBHOOK_ENCRYPTION_KEY: z.string().min(32, 'must have at least 32 characters'),
  /** DNS over HTTPS in JSON: tells whether a webhook's name stands for public addresses. */
  DNS_URL: z.url().default('https://cloudflare-dns.com/dns-query'),
  /** Set on a developer's machine only: webhooks may be at any address that can be called from there. */
  ALLOW_LOCAL_WEBHOOKS: z.literal('yes', 'must be "yes", or absent').optional(),
  SANDBOX_URL: z.url(),
  SANDBOX_SECRET: z.string().min(32, 'must have at least 32 characters'),
  ADMIN_KEY_SHA256: z.string().regex(/^[0-9a-f]{64}$/, 'must be the SHA-256 of the key as 64 lower-case hex digits'),
})

/** As the platform gives it. */
export type Env = z.input<typeof textSchema> & { ARTIFACTS: R2Binding }
export type CheckedEnv = z.infer<typeof textSchema> & { ARTIFACTS: R2Binding }

/** @throws Error naming the variable */
export function checkEnv(env: Env): CheckedEnv {
  // An empty variable is an unset one.
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => (value as unknown) !== ''))
  const result = textSchema.safeParse(set)
  if (!result.success) {
    const issue = result.error.issues[0]
    throw new Error(`${String(issue?.path[0])} ${issue?.message ?? 'is not allowed'}`)
  }
  return { ...result.data, ARTIFACTS: env.ARTIFACTS }
}
