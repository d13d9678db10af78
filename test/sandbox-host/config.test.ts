// One bad variable is one line that names it, says what is allowed, and never shows a secret.
import { describe, expect, test } from 'vitest'
import { readConfig } from '../../sandbox-host/config.ts'
import { scriptModeDefault } from '../../shared/script-mode.ts'

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

test.each([
  [{}, { compiler: scriptModeDefault === 'compiled' ? 'on' : 'asked', canaryOneIn: 1_000 }],
  [
    { SCRIPT_COMPILER: 'on', SCRIPT_CANARY_ONE_IN: '0' },
    { compiler: 'on', canaryOneIn: 0 },
  ],
  [
    { SCRIPT_COMPILER: 'off', SCRIPT_CANARY_ONE_IN: '1' },
    { compiler: 'off', canaryOneIn: 1 },
  ],
])('%j says how scripts run', (more, scripts) => {
  expect(readConfig({ ...good, ...more }).scripts).toEqual(scripts)
})

test('an empty variable is an unset one', () => expect(readConfig({ ...good, HOST_PORT: '' }).port).toBe(8789))

test.each(Object.keys(good))('%s is needed', (name) => {
  expect(() => readConfig({ ...good, [name]: undefined })).toThrow(`${name} is not set: it is needed`)
})

describe('a bad value is named with what is allowed', () => {
  test.each([
    [{ HOST_PORT: '70000' }, 'HOST_PORT is "70000": must be a whole number from 0 to 65535'],
    [{ SCRIPT_COMPILER: 'yes' }, 'SCRIPT_COMPILER is "yes": Invalid option: expected one of "on"|"asked"|"off"'],
    [{ SCRIPT_CANARY_ONE_IN: '-1' }, 'SCRIPT_CANARY_ONE_IN is "-1": must be a whole number from 0 to 1000000000'],
    [{ HOST_PORT: '8o' }, 'HOST_PORT is "8o": must be a whole number from 0 to 65535'],
    [{ WORKER_URL: 'bounty' }, 'WORKER_URL is "bounty": must be an http or https URL'],
    [{ WORKER_URL: 'ftp://x' }, 'WORKER_URL is "ftp://x": must be an http or https URL'],
    [{ HOST_ID: 'My Host' }, 'HOST_ID is "My Host": must be 1 to 48 of a-z 0-9 - and begin with a letter or digit'],
    [{ INSTANCE_ID: 'a b' }, 'INSTANCE_ID is "a b": must be 1 to 63 of A-Z a-z 0-9 _ -'],
    [{ SANDBOX_SECRET: 'tell nobody' }, 'SANDBOX_SECRET has 11 characters: must have at least 32 characters'],
    [{ JOURNAL_BYTES_MAX: '1' }, 'JOURNAL_BYTES_MAX is "1": must be a whole number from 8388608 to 9007199254740991'],
    [{ THREADS: '4', SLOTS: '4' }, 'SLOTS is 4: must be more than THREADS, which is 4'],
    [{ SLOTS: '9', THREADS: '1', ACCOUNT_RUNNING_MAX: '10' }, 'ACCOUNT_RUNNING_MAX is 10: must be at most SLOTS, which is 9'],
    [{ QUEUE_MAX: '9', ACCOUNT_QUEUE_MAX: '10' }, 'ACCOUNT_QUEUE_MAX is 10: must be at most QUEUE_MAX, which is 9'],
    [{ QUEUE_BYTES_MAX: '2097215' }, 'QUEUE_BYTES_MAX is "2097215": must be a whole number from 2097216 to 9007199254740991'],
    [{ QUEUE_WAIT_MS_MAX: '9001' }, 'QUEUE_WAIT_MS_MAX is "9001": must be a whole number from 1 to 9000'],
    [
      { TIER_BYTES_MAX: '268435456', MEMORY_BYTES_BUDGET: '268435455' },
      'MEMORY_BYTES_BUDGET is 268435455: must be at least 268435456, the largest tier up to TIER_BYTES_MAX',
    ],
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

test('what is allowed for all bounds what is allowed for one', () => {
  const { admission, engine } = readConfig({ ...good, THREADS: '3', SLOTS: '4', QUEUE_MAX: '5' })
  expect(admission).toMatchObject({ threads: 3, runningMax: 4, accountRunningMax: 4, queueMax: 5, accountQueueMax: 3 })
  expect(engine).toMatchObject({ slots: 4, queueMax: 4 })
})

test('threads leave a slot, whichever of the two is set', () => {
  expect(readConfig({ ...good, SLOTS: '2' }).admission).toMatchObject({ threads: 1, runningMax: 2 })
  expect(readConfig({ ...good, THREADS: '200' }).admission).toMatchObject({ threads: 200, runningMax: 201 })
})

test('an account may fill its share to the last place', () => {
  const set = { SLOTS: '9', THREADS: '8', ACCOUNT_RUNNING_MAX: '9', QUEUE_MAX: '7', ACCOUNT_QUEUE_MAX: '7', QUEUE_BYTES_MAX: '2097216' }
  const budget = { TIER_BYTES_MAX: '268435456', MEMORY_BYTES_BUDGET: '268435456', QUEUE_WAIT_MS_MAX: '9000' }
  const { admission, queueWaitMsMax } = readConfig({ ...good, ...set, ...budget })
  expect(admission).toMatchObject({ runningMax: 9, accountRunningMax: 9, accountQueueMax: 7, queueBytesMax: 2_097_216 })
  expect(queueWaitMsMax).toBe(9_000)
})

describe('the event log', () => {
  const kafka = { ...good, EVENT_LOG: 'kafka', KAFKA_BROKERS: 'one.internal:9092, [fd00::1]:9093' }

  test('is taken by the Worker unless it is Kafka, of which nothing is needed then', () => {
    expect(readConfig(good).kafka).toBeUndefined()
    expect(readConfig({ ...kafka, EVENT_LOG: 'queues' }).kafka).toBeUndefined()
  })

  test('is Kafka with its brokers, a group, and what they ask of a client', () => {
    const brokers = ['one.internal:9092', '[fd00::1]:9093']
    expect(readConfig(kafka).kafka).toEqual({ brokers, isEncrypted: false, group: 'sandbox-hosts', topicPrefix: '' })
    const sasl = { KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512', KAFKA_USERNAME: 'u', KAFKA_PASSWORD: 'p' }
    expect(readConfig({ ...kafka, ...sasl, KAFKA_TLS: 'true', KAFKA_GROUP: 'g', KAFKA_TOPIC_PREFIX: 'bounty.' }).kafka).toEqual({
      brokers,
      isEncrypted: true,
      group: 'g',
      topicPrefix: 'bounty.',
      sasl: { mechanism: 'SCRAM-SHA-512', username: 'u', password: 'p' },
    })
  })

  test.each([
    [{ EVENT_LOG: 'rabbits' }, /^EVENT_LOG is "rabbits": .*queues.*kafka/],
    [{ KAFKA_BROKERS: undefined }, 'KAFKA_BROKERS is not set: it is needed with EVENT_LOG=kafka'],
    [{ KAFKA_BROKERS: 'http://one' }, 'KAFKA_BROKERS is "http://one": must be host:port, several with commas between them'],
    [{ KAFKA_SASL_MECHANISM: 'PLAIN', KAFKA_USERNAME: 'u' }, 'KAFKA_USERNAME and KAFKA_PASSWORD are needed with it'],
    [{ KAFKA_GROUP: 'a b' }, 'KAFKA_GROUP is "a b": must be 1 to 100 letters'],
    [{ KAFKA_TOPIC_PREFIX: 'x/' }, 'KAFKA_TOPIC_PREFIX is "x/": must be at most 64 letters'],
  ])('names what is wrong with %j', (bad, message) => expect(() => readConfig({ ...kafka, ...bad })).toThrow(message))
})
