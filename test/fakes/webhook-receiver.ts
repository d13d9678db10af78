// A receiver of webhooks: a real HTTP server that keeps what it is sent and answers as the test wants.
import { createServer } from 'node:http'
import { readAll } from './bucket-server.ts'
import { serveOnFreePort, type TestServer } from './serve-on-free-port.ts'

export type Received = { path: string; headers: Record<string, string>; body: string }

export type WebhookReceiver = TestServer & {
  received: Received[]
  /** Status of the next answers; `hang`: none. */
  answer: number | 'hang'
  /** Headers of its answers. */
  headers: Record<string, string>
}

export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  const state: Pick<WebhookReceiver, 'received' | 'answer' | 'headers'> = { received: [], answer: 204, headers: {} }
  const server = createServer((request, response) => {
    void (async () => {
      const body = (await readAll(request)).toString()
      // Of a header that comes once Node makes one text.
      state.received.push({ path: request.url ?? '', headers: request.headers as Record<string, string>, body })
      if (receiver.answer !== 'hang') response.writeHead(receiver.answer, receiver.headers).end()
    })()
  })
  const receiver = Object.assign(state, await serveOnFreePort(server))
  return receiver
}
