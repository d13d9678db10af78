import { expect, test } from 'vitest'
import { Counters } from '../../workers/counters.ts'
import { countedBucket, countedMessages, countedQueue } from '../../workers/counted-bindings.ts'

const labels = (counters: Counters) => counters.text().match(/^bounty_isolate_\w+_operations_total.*$/gm)

test('operations on the bucket are counted as they are charged for: looks and reads, writes and lists', async () => {
  const counters = new Counters()
  const list = async () => ({ objects: [], truncated: false })
  const binding = { head: async () => null, get: async () => null, put: async () => ({}), list, delete: async () => {} }
  const bucket = countedBucket(binding, counters)
  await bucket.head('a')
  await bucket.get('a', { range: { offset: 0, length: 1 } })
  await bucket.put('a', new Uint8Array(1), { sha256: '' })
  await bucket.list({ prefix: '', limit: 1 })
  await bucket.delete(['a'])
  expect(labels(counters)).toEqual([
    'bounty_isolate_bucket_operations_total{operation="read"} 2',
    'bounty_isolate_bucket_operations_total{operation="write"} 2',
  ])
})

test('a message is written, read and deleted', async () => {
  const counters = new Counters()
  const queue = countedQueue({ sendBatch: async () => {}, metrics: async () => ({}) }, counters)
  const body = (n: number) => ({ body: n, contentType: 'json' as const })
  await queue.sendBatch([body(1), body(2)])
  await queue.metrics()
  const gone: string[] = []
  const arrived = (id: string) => ({ id, body: id, ack: () => gone.push(id), retry: () => {} })
  const [first, second] = countedMessages([arrived('1'), arrived('2'), arrived('3')], counters)
  first?.ack()
  second?.ack()
  expect([gone, second?.body]).toEqual([['1', '2'], '2'])
  expect(labels(counters)).toEqual(
    ['delete"} 2', 'read"} 3', 'write"} 2'].map((rest) => `bounty_isolate_queue_operations_total{operation="${rest}`),
  )
})
