// One bad variable is one line that names it, says what is allowed, and never shows a secret.
import { describe, expect, test } from 'vitest'
import { readConfig } from '../../sandbox-host/config.ts'

const good = {
  DATA_DIR: '/data',
  SANDBOX_SECRET: 's'.repeat(32),
  WORKER_URL: 'https://bounty.example/',
  R2_ENDPOINT: 'https://account.example/bucket',
  R2_ACCESS_KEY_ID: 'id',
  R2_SECRET_ACCESS_KEY: 'key',
}

test('what is needed is enough', () => {
  expect(readConfig(good)).toMatchObject({
    port: 8789,
    bind: '127.0.0.1',
    workerUrl: 'https://bounty.example',
    engine: { choice: 'auto' },
    drainGraceMs: 20_000,
  })
})

test('an empty variable is an unset one', () => expect(readConfig({ ...good, HOST_PORT: '' }).port).toBe(8789))

test.each(Object.keys(good))('%s is needed', (name) => {
  expect(() => readConfig({ ...good, [name]: undefined })).toThrow(`${name} is not set: it is needed`)
})

describe('a bad value is named with what is allowed', () => {
  test.each([
    [{ HOST_PORT: '70000' }, 'HOST_PORT is "70000": must be a whole number from 0 to 65535'],
    [{ HOST_PORT: '8o' }, 'HOST_PORT is "8o": must be a whole number from 0 to 65535'],
    [{ WORKER_URL: 'bounty' }, 'WORKER_URL is "bounty": must be an http or https URL'],
    [{ WORKER_URL: 'ftp://x' }, 'WORKER_URL is "ftp://x": must be an http or https URL'],
    [{ HOST_ID: 'My Host' }, 'HOST_ID is "My Host": must be 1 to 48 of a-z 0-9 - and begin with a letter or digit'],
    [{ SANDBOX_SECRET: 'tell nobody' }, 'SANDBOX_SECRET has 11 characters: must have at least 32 characters'],
    [{ JOURNAL_BYTES_MAX: '1' }, 'JOURNAL_BYTES_MAX is "1": must be a whole number from 8388608 to 9007199254740991'],
    [{ TIER_BYTES_MAX: '1' }, "TIER_BYTES_MAX is 1: must be at least 134217728, the smallest tier's memory"],
  ])('%j', (bad, message) => expect(() => readConfig({ ...good, ...bad })).toThrow(message))

  test('an engine that does not exist', () => {
    expect(() => readConfig({ ...good, ENGINE: 'v8' })).toThrow(/^ENGINE is "v8": .*auto.*wasmtime.*quickjs/)
  })
})

test('tiers are offered up to the memory that is given', () => {
  const { tiers, engine } = readConfig({ ...good, TIER_BYTES_MAX: String(384 * 2 ** 20) })
  expect(tiers).toEqual(['basic', 'standard', 'premium'])
  expect(engine.memoryBytesMax).toBe(384 * 2 ** 20)
})
