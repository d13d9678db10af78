// The contract over the fake, and over real Queues in workerd, with the settings of wrangler.toml.
import { readFile } from 'node:fs/promises'
import { Miniflare } from 'miniflare'
import { parse } from 'smol-toml'
import { afterAll } from 'vitest'
import { miniflareOptions } from '../../local/miniflare-options.ts'
import { queueEventLog } from '../../workers/adapters/queues.ts'
import { eventLogContract } from '../contracts/event-log.contract.ts'
import { memoryEventLog } from '../fakes/memory-event-log.ts'

eventLogContract('memory', async () => {
  const log = memoryEventLog()
  const openedAt = performance.now()
  const isDue = ({ delaySeconds }: { delaySeconds: number }) => performance.now() - openedAt >= delaySeconds * 1_000
  return { log, arrived: async () => log.messages.filter(isDue).map(({ message }) => message) }
})

/** Keeps what arrives, and shows it. */
const consumer = `const arrived = []
export default {
  fetch: () => Response.json(arrived),
  queue(batch) { for (const message of batch.messages) arrived.push(message.body) },
}`

let running: Promise<Miniflare> | undefined
async function start(): Promise<Miniflare> {
  const wrangler = parse(await readFile('wrangler.toml', 'utf8'))
  const { options } = miniflareOptions(wrangler, { bindings: {}, s3Credentials: { accessKeyId: '', secretAccessKey: '' } })
  const { queueProducers, queueConsumers, compatibilityDate, compatibilityFlags } = options
  const settings = { modules: true, script: consumer, cf: false, cachePersist: false } as const
  return new Miniflare({ ...settings, queueProducers, queueConsumers, compatibilityDate, compatibilityFlags })
}
afterAll(async () => {
  await (await running)?.dispose()
})

eventLogContract('Queues', async () => {
  const miniflare = await (running ??= start())
  const queue = await miniflare.getQueueProducer('EVENT_QUEUE')
  return {
    log: queueEventLog(queue),
    arrived: async () => (await (await miniflare.dispatchFetch('http://consumer/')).json()) as unknown[],
  }
})
