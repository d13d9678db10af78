import { expect, test } from 'vitest'
import { readEvents } from '../../client/read-events.ts'

async function eventsOf(...chunks: string[]) {
  const bytes = chunks.map((chunk) => new TextEncoder().encode(chunk))
  const events = []
  for await (const event of readEvents(new Response(ReadableStream.from(bytes)))) events.push(event)
  return events
}

test('events have name, data and the last id; comments and unknown fields are passed over', async () => {
  const text = 'retry: 1000\n\n:\n\nevent: verdict\nid: 1\ndata: {"a":1}\n\ndata: one\ndata:  two\ncolour: red\n\nid: 3\n\ndata\n\n'
  expect(await eventsOf(text)).toEqual([
    { event: 'verdict', data: '{"a":1}', id: '1' },
    { event: 'message', data: 'one\n two', id: '1' },
    { event: 'message', data: '', id: '3' },
  ])
})

test('chunks may end anywhere, within characters and ends of lines too', async () => {
  const bytes = new TextEncoder().encode('event: ä\r\ndata: €\r\n\r\ndata: b\r\rdata: c\n\n')
  const stream = ReadableStream.from(Array.from(bytes, (byte) => new Uint8Array([byte])))
  const events = []
  for await (const event of readEvents(new Response(stream))) events.push([event.event, event.data])
  expect(events).toEqual([
    ['ä', '€'],
    ['message', 'b'],
    ['message', 'c'],
  ])
})

test('what is not complete at the end is dropped; no body is no event', async () => {
  expect(await eventsOf('data: a\n\ndata: b\n')).toHaveLength(1)
  expect(await eventsOf()).toEqual([])
})

test('whoever stops reading ends the stream', async () => {
  let isCancelled = false
  const stream = new ReadableStream({
    pull: (controller) => controller.enqueue(new TextEncoder().encode('data: a\n\n')),
    cancel: () => void (isCancelled = true),
  })
  for await (const { data } of readEvents(new Response(stream))) {
    expect(data).toBe('a')
    break
  }
  expect(isCancelled).toBe(true)
})
