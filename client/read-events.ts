// Server-sent events out of the body of an answer (https://html.spec.whatwg.org/multipage/server-sent-events.html, 9.2.6), which `Client.raw`
// gives. The platform's EventSource cannot send a key.

export type ServerEvent = {
  /** `message` when the stream names none. */
  event: string
  data: string
  /** Of the last event that had one; what to come back with as `Last-Event-ID`. */
  id: string
}

/** An event may be so long; what is longer is no stream of ours. */
const eventCharactersMax = 8 * 1024 * 1024

/** Ends with the body; an event that is not complete by then is dropped. @throws what reading the body throws */
export async function* readEvents(response: Response): AsyncGenerator<ServerEvent, void, undefined> {
  let id = ''
  let event = ''
  let data: string[] = []
  for await (const line of linesOf(response)) {
    if (line === '') {
      if (data.length > 0) yield { event: event || 'message', data: data.join('\n'), id }
      event = ''
      data = []
      continue
    }
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') event = value
    else if (field === 'data') data.push(value)
    else if (field === 'id' && !value.includes('\0')) id = value
  }
}

async function* linesOf({ body }: Response): AsyncGenerator<string, void, undefined> {
  if (!body) return
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      rest += value
      if (rest.length > eventCharactersMax) throw new Error(`a line of the stream has more than ${eventCharactersMax} characters`)
      // A carriage return at the end may be the first half of a line's end.
      const lines = rest.split(/\r\n|\n|\r(?!$)/)
      rest = lines.pop() ?? ''
      yield* lines
    }
  } finally {
    // Whoever stops reading ends the connection.
    await reader.cancel().catch(() => {})
  }
}
