// Secrets of one local cloud: drawn once, kept in `secrets.json` for this user alone, given to each child only as far as it needs them.
import { randomBytes } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { apiKeySchema } from '../shared/api-key.ts'

const secretsSchema = z.object({
  sandboxSecret: z.string(),
  webhookEncryptionKey: z.string(),
  adminKey: apiKeySchema,
  /** Of the account `demo`; absent until the API has made it. */
  demoKey: apiKeySchema.optional(),
  r2AccessKeyId: z.string(),
  r2SecretAccessKey: z.string(),
  upstashToken: z.string(),
  kafkaPassword: z.string(),
  neonPassword: z.string(),
  postgresPassword: z.string(),
})
export type LocalSecrets = z.infer<typeof secretsSchema>

export function loadSecrets(localDir: string): LocalSecrets {
  const path = join(localDir, 'secrets.json')
  const secrets = secretsSchema.parse({ ...drawSecrets(), ...readKept(path) })
  saveSecrets(localDir, secrets)
  return secrets
}

export function saveSecrets(localDir: string, secrets: LocalSecrets): void {
  writePrivate(join(localDir, 'secrets.json'), secrets)
}

/** Whole or not at all, readable by this user alone. */
export function writePrivate(path: string, value: unknown): void {
  const draft = `${path}.${process.pid}.part`
  writeFileSync(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 })
  renameSync(draft, path)
}

function readKept(path: string): object {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return {}
  }
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(text))
  } catch {
    throw new Error(`${path} is damaged: remove it together with its directory to start from nothing.`)
  }
}

function drawSecrets(): LocalSecrets {
  const hex = (bytes: number) => randomBytes(bytes).toString('hex')
  return {
    sandboxSecret: hex(32),
    webhookEncryptionKey: hex(32),
    adminKey: `ab_${randomBytes(32).toString('base64url')}`,
    r2AccessKeyId: hex(16),
    r2SecretAccessKey: hex(32),
    upstashToken: hex(24),
    kafkaPassword: hex(24),
    neonPassword: hex(24),
    postgresPassword: hex(24),
  }
}
