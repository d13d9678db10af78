// Where the webhooks of a storm arrive: takes most events, and refuses some, which have to come again.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { loopback } from '../../local/free-port.ts'

export type WebhookReceiver = {
  url: string
  /** Ids of the events that it answered with 2xx, each once. */
  heard: () => string[]
  /** Takes everything from now on. */
  calm: () => void
  close: () => Promise<void>
}

/** One of so many is refused. */
const refusedOneOf = 10

export async function openWebhookReceiver(): Promise<WebhookReceiver> {
  const heard = new Set<string>()
  let isCalm = false
  let received = 0
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      const id = String(request.headers['webhook-id'])
      const isRefused = !isCalm && ++received % refusedOneOf === 0
      if (!isRefused) heard.add(id)
      response.writeHead(isRefused ? 503 : 204).end()
    })
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, loopback, resolve))
  return {
    url: `http://${loopback}:${(server.address() as AddressInfo).port}/hooks`,
    heard: () => [...heard],
    calm: () => {
      isCalm = true
    },
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}
