// What the deployment gives the Worker: days of retention, and the key that signs URLs.
import { expect, test } from 'vitest'
import { checkEnv, type Env } from '../../workers/env.ts'

const nothing = () => Promise.reject(new Error('is not called'))
const env: Env = {
  DATABASE_URL: 'postgres://x',
  UPSTASH_REDIS_REST_URL: 'https://upstash.example',
  UPSTASH_REDIS_REST_TOKEN: 'token',
  WEBHOOK_ENCRYPTION_KEY: 'x'.repeat(32),
  SANDBOX_URL: 'https://host.example',
  SANDBOX_SECRET: 'x'.repeat(32),
  ADMIN_KEY_SHA256: '0'.repeat(64),
  ARTIFACTS: { head: nothing, get: nothing, put: nothing, list: nothing, delete: nothing },
  EVENT_LOG: { sendBatch: nothing, metrics: nothing },
}
const s3 = { R2_ENDPOINT: 'https://x.r2.cloudflarestorage.com/bucket', R2_ACCESS_KEY_ID: 'id', R2_SECRET_ACCESS_KEY: 'hunter2' }

test('artifacts are kept for 30 days and executions for 90, or as the deployment says', () => {
  expect(checkEnv(env)).toMatchObject({ ARTIFACTS_KEPT_DAYS: 30, EXECUTIONS_KEPT_DAYS: 90 })
  const equal = checkEnv({ ...env, ARTIFACTS_KEPT_DAYS: '7', EXECUTIONS_KEPT_DAYS: '7' })
  expect(equal).toMatchObject({ ARTIFACTS_KEPT_DAYS: 7, EXECUTIONS_KEPT_DAYS: 7 })
  expect(() => checkEnv({ ...env, ARTIFACTS_KEPT_DAYS: '91' })).toThrow(
    'ARTIFACTS_KEPT_DAYS must be at most EXECUTIONS_KEPT_DAYS, which is 90',
  )
})

test.each(['0', '-1', '1.5', 'for ever', '36501'])('%s days are refused by name', (value) => {
  expect(() => checkEnv({ ...env, ARTIFACTS_KEPT_DAYS: value })).toThrow('ARTIFACTS_KEPT_DAYS must be a whole number of days')
})

test('the key that signs URLs is there whole or not at all, and never quoted', () => {
  expect(checkEnv(env).presigner).toBeUndefined()
  expect(checkEnv({ ...env, ...s3 }).presigner).toEqual({ url: s3.R2_ENDPOINT, accessKeyId: 'id', secretAccessKey: 'hunter2' })
  const { R2_ENDPOINT: _url, ...half } = s3
  expect(() => checkEnv({ ...env, ...half })).toThrow('must be set together')
  expect(() => checkEnv({ ...env, ...half })).not.toThrow('hunter2')
})
