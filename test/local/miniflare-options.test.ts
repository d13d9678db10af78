import { readFileSync } from 'node:fs'
import { parse } from 'smol-toml'
import { describe, expect, test } from 'vitest'
import { miniflareOptions } from '../../local/miniflare-options.ts'

const settings = { bindings: { SECRET: 's', MODE: 'local' }, s3Credentials: { accessKeyId: 'id', secretAccessKey: 'key' } }
const head = 'name = "edge"\nmain = "workers/index.ts"\ncompatibility_date = "2026-07-01"\n'
const derive = (toml: string) => miniflareOptions(parse(head + toml), settings)

describe('miniflareOptions', () => {
  test('name, date and flags are the Worker’s own', () => {
    expect(derive('compatibility_flags = ["nodejs_compat"]')).toMatchObject({
      main: 'workers/index.ts',
      options: { name: 'edge', compatibilityDate: '2026-07-01', compatibilityFlags: ['nodejs_compat'] },
    })
  })

  test('what this machine sets wins over vars', () => {
    expect(derive('[vars]\nMODE = "production"\nLIMIT = 3').options.bindings).toEqual({ MODE: 'local', LIMIT: 3, SECRET: 's' })
  })

  test('a bucket is bound, and open to the host over S3', () => {
    const derived = derive('[[r2_buckets]]\nbinding = "ARTIFACTS"\nbucket_name = "artifacts"')
    expect(derived.buckets).toEqual(['artifacts'])
    expect(derived.options.r2Buckets).toEqual({ ARTIFACTS: { id: 'artifacts', s3Credentials: settings.s3Credentials } })
  })

  test('queues keep their batches, retries and dead letters', () => {
    const { options } = derive(`
      [[queues.producers]]
      binding = "EXECUTIONS"
      queue = "executions"
      delivery_delay = 1
      [[queues.consumers]]
      queue = "executions"
      max_batch_size = 10
      max_batch_timeout = 0.5
      max_retries = 5
      retry_delay = 2
      dead_letter_queue = "dead"
      max_concurrency = 20`)
    expect(options.queueProducers).toEqual({ EXECUTIONS: { queueName: 'executions', deliveryDelay: 1 } })
    expect(options.queueConsumers).toEqual({
      executions: { maxBatchSize: 10, maxBatchTimeout: 0.5, maxRetries: 5, retryDelay: 2, deadLetterQueue: 'dead' },
    })
  })

  test('rate limits and crons are carried over', () => {
    const { options, crons } = derive(`
      [triggers]
      crons = ["* * * * *"]
      [[ratelimits]]
      name = "LIMIT"
      namespace_id = "1"
      simple = { limit = 100, period = 60 }`)
    expect(options.ratelimits).toEqual({ LIMIT: { simple: { limit: 100, period: 60 } } })
    expect(crons).toEqual(['* * * * *'])
  })

  test.each([
    ['an unknown section', '[[kv_namespaces]]\nbinding = "KV"\nid = "x"', /kv_namespaces/],
    ['an unknown field of a known section', '[[r2_buckets]]\nbinding = "A"\nbucket_name = "a"\nnew_field = 1', /new_field/],
    [
      'a period that Cloudflare does not have',
      '[[ratelimits]]\nname = "L"\nnamespace_id = "1"\nsimple = { limit = 1, period = 30 }',
      /period/,
    ],
    ['an environment, which would have bindings of its own', '[env.staging]\nname = "x"', /env/],
  ])('%s is an error, not a silent gap', (_, toml, message) => {
    expect(() => derive(toml)).toThrow(message)
  })

  test('every binding of wrangler.toml exists locally', () => {
    const wrangler = parse(readFileSync('wrangler.toml', 'utf8'))
    const { options } = miniflareOptions(wrangler, settings)
    // Each section that binds something, and the names it binds.
    const list = (value: unknown) => (Array.isArray(value) ? value : []) as Record<string, unknown>[]
    const { queues = {}, vars = {} } = wrangler as { queues?: { producers?: unknown; consumers?: unknown }; vars?: object }
    expect(Object.keys(options.r2Buckets)).toEqual(list(wrangler['r2_buckets']).map((bucket) => bucket['binding']))
    expect(Object.keys(options.queueProducers)).toEqual(list(queues.producers).map((producer) => producer['binding']))
    expect(Object.keys(options.queueConsumers)).toEqual(list(queues.consumers).map((consumer) => consumer['queue']))
    expect(Object.keys(options.ratelimits)).toEqual(list(wrangler['ratelimits']).map((limit) => limit['name']))
    expect(Object.keys(options.bindings)).toEqual(expect.arrayContaining(Object.keys(vars)))
  })
})
