// What the Worker does with its bucket and its queue, counted as Cloudflare charges for it: bench/scenarios/cost.ts multiplies by prices.
// Neon and Upstash are counted on the wire; bindings have none.
import type { QueueBinding } from './adapters/queues.ts'
import type { R2Binding } from './adapters/r2.ts'
import type { Counters } from './counters.ts'
import type { ArrivedMessage } from './take-messages.ts'

export function countedQueue(queue: QueueBinding, counters: Counters): QueueBinding {
  return {
    sendBatch: (messages, options) => {
      counters.add('queue_operations_total', { operation: 'write' }, messages.length)
      return queue.sendBatch(messages, options)
    },
    // Asking how much waits is not charged for.
    metrics: () => queue.metrics(),
  }
}

/** Each that arrives is a read, and one more operation when it is let go. */
export function countedMessages(messages: readonly ArrivedMessage[], counters: Counters): ArrivedMessage[] {
  counters.add('queue_operations_total', { operation: 'read' }, messages.length)
  return messages.map((message) => ({
    id: message.id,
    body: message.body,
    ack: () => {
      counters.add('queue_operations_total', { operation: 'delete' })
      message.ack()
    },
    retry: (options) => message.retry(options),
  }))
}

export function countedBucket(bucket: R2Binding, counters: Counters): R2Binding {
  const count = (operation: 'read' | 'write') => counters.add('bucket_operations_total', { operation })
  return {
    head: (key) => {
      count('read')
      return bucket.head(key)
    },
    get: (key, options) => {
      count('read')
      return bucket.get(key, options)
    },
    put: (key, bytes, options) => {
      count('write')
      return bucket.put(key, bytes, options)
    },
    // Listing is charged for as writing is, deleting is not.
    list: (options) => {
      count('write')
      return bucket.list(options)
    },
    delete: (keys) => bucket.delete(keys),
  }
}
