// What the Worker is deployed with: one bad variable is one line that names it, and never quotes a secret.
import { expect, test } from 'vitest'
import { checkEnv, type Env } from '../../workers/env.ts'

const good = {
  DATABASE_URL: 'postgres://u:p@db.example/d',
  UPSTASH_REDIS_REST_URL: 'https://redis.example',
  UPSTASH_REDIS_REST_TOKEN: 't',
  WEBHOOK_ENCRYPTION_KEY: 'w'.repeat(32),
  SANDBOX_URL: 'https://host.example',
  SANDBOX_SECRET: 's'.repeat(32),
  ADMIN_KEY_SHA256: 'a'.repeat(64),
  ARTIFACTS: {} as Env['ARTIFACTS'],
  EVENT_QUEUE: {} as Env['EVENT_QUEUE'],
}
const kafka = {
  ...good,
  EVENT_LOG: 'kafka' as const,
  UPSTASH_KAFKA_REST_URL: 'https://gateway.example',
  UPSTASH_KAFKA_REST_USERNAME: 'worker',
  UPSTASH_KAFKA_REST_PASSWORD: 'p'.repeat(32),
}

test('messages go through Queues unless it is said otherwise, and nothing of Kafka is needed', () => {
  expect(checkEnv(good).kafka).toBeUndefined()
  expect(checkEnv({ ...good, UPSTASH_KAFKA_REST_URL: '', UPSTASH_KAFKA_REST_USERNAME: '' }).kafka).toBeUndefined()
})

test('with Kafka its gateway is known', () => {
  expect(checkEnv({ ...kafka, KAFKA_TOPIC_PREFIX: 'bounty.' }).kafka).toEqual({
    url: 'https://gateway.example',
    username: 'worker',
    password: 'p'.repeat(32),
    topicPrefix: 'bounty.',
  })
})

test.each<[object, string]>([
  [{ EVENT_LOG: 'rabbits' }, 'EVENT_LOG'],
  [{ UPSTASH_KAFKA_REST_URL: '' }, 'UPSTASH_KAFKA_REST_URL is not set: it is needed with EVENT_LOG=kafka'],
  [{ UPSTASH_KAFKA_REST_URL: 'gateway' }, 'UPSTASH_KAFKA_REST_URL'],
  [{ UPSTASH_KAFKA_REST_USERNAME: '' }, 'UPSTASH_KAFKA_REST_USERNAME is not set'],
  [{ UPSTASH_KAFKA_REST_PASSWORD: '' }, 'UPSTASH_KAFKA_REST_PASSWORD is not set'],
  [{ KAFKA_TOPIC_PREFIX: 'a b' }, 'KAFKA_TOPIC_PREFIX must be at most 64 letters'],
  [{ SANDBOX_SECRET: 'short' }, 'SANDBOX_SECRET must have at least 32 characters'],
])('%j is named', (bad, message) => {
  const env = { ...kafka, ...bad }
  expect(() => checkEnv(env)).toThrow(message)
  try {
    checkEnv(env)
  } catch (error) {
    expect(String(error)).not.toContain('p'.repeat(32))
  }
})

const s3 = { R2_ENDPOINT: 'https://x.r2.cloudflarestorage.com/bucket', R2_ACCESS_KEY_ID: 'id', R2_SECRET_ACCESS_KEY: 'hunter2' }

test('artifacts are kept for 30 days and executions for 90, or as the deployment says', () => {
  expect(checkEnv(good)).toMatchObject({ ARTIFACTS_KEPT_DAYS: 30, EXECUTIONS_KEPT_DAYS: 90 })
  const equal = checkEnv({ ...good, ARTIFACTS_KEPT_DAYS: '7', EXECUTIONS_KEPT_DAYS: '7' })
  expect(equal).toMatchObject({ ARTIFACTS_KEPT_DAYS: 7, EXECUTIONS_KEPT_DAYS: 7 })
  expect(() => checkEnv({ ...good, ARTIFACTS_KEPT_DAYS: '91' })).toThrow(
    'ARTIFACTS_KEPT_DAYS must be at most EXECUTIONS_KEPT_DAYS, which is 90',
  )
})

test.each(['0', '-1', '1.5', 'for ever', '36501'])('%s days are refused by name', (value) => {
  expect(() => checkEnv({ ...good, ARTIFACTS_KEPT_DAYS: value })).toThrow('ARTIFACTS_KEPT_DAYS must be a whole number of days')
})

test('the key that signs URLs is there whole or not at all, and never quoted', () => {
  expect(checkEnv(good).presigner).toBeUndefined()
  expect(checkEnv({ ...good, ...s3 }).presigner).toEqual({ url: s3.R2_ENDPOINT, accessKeyId: 'id', secretAccessKey: 'hunter2' })
  const { R2_ENDPOINT: _url, ...half } = s3
  expect(() => checkEnv({ ...good, ...half })).toThrow('must be set together')
  expect(() => checkEnv({ ...good, ...half })).not.toThrow('hunter2')
})
