// An EventSource as browsers have it, with a key: what it was told, in order, until the event `finished`. Its connection can be cut, and then it
// comes back by itself with the id of the last event.
import { EventSource } from 'eventsource'

export type Told = { event: string; id: string; data: unknown }
export type Follower = {
  told: Told[]
  /** `Last-Event-ID` of each connection, in order. */
  connections: (string | null)[]
  /** Cuts the connection that is open now. */
  cut: () => void
  finished: Promise<void>
  close: () => void
}

export type FollowOptions = { key: string; fetch?: (url: string, init: RequestInit) => Promise<Response> | Response }

export function follow(url: string, { key, fetch: fetchWith = fetch }: FollowOptions): Follower {
  const told: Told[] = []
  const connections: (string | null)[] = []
  let cutting = new AbortController()
  const { promise: finished, resolve } = Promise.withResolvers<void>()
  const source = new EventSource(url, {
    fetch: async (input, init) => {
      const headers = new Headers(init.headers)
      headers.set('authorization', `Bearer ${key}`)
      connections.push(headers.get('last-event-id'))
      cutting = new AbortController()
      const response = await fetchWith(String(input), { headers })
      if (!response.body) return response
      return new Response(cutAt(response.body, cutting.signal), { status: response.status, headers: response.headers })
    },
  })
  for (const event of ['verdict', 'progress', 'finished']) {
    source.addEventListener(event, (message: MessageEvent) => {
      told.push({ event, id: message.lastEventId, data: JSON.parse(String(message.data)) })
      if (event !== 'finished') return
      source.close()
      resolve()
    })
  }
  return { told, connections, finished, cut: () => cutting.abort(), close: () => source.close() }
}

/** The stream until `signal`, as if the network had ended it; its source is told that nobody reads on. */
function cutAt(body: ReadableStream<Uint8Array>, signal: AbortSignal): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  return new ReadableStream<Uint8Array>({
    start(controller) {
      signal.addEventListener('abort', () => {
        void reader.cancel()
        // An error, which is what a lost connection is to its reader.
        controller.error(new Error('the connection was cut'))
      })
    },
    async pull(controller) {
      const { done, value } = await reader.read()
      if (signal.aborted) return
      if (done) controller.close()
      else controller.enqueue(value)
    },
    cancel: () => reader.cancel(),
  })
}
