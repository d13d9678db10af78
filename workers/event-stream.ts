// Tells a client what happens as server-sent events, by asking again and again: soon after something has changed, more seldom while nothing
// does. A connection ends after minutes; the client comes back by itself with the id of the last event that it has.
import type { Context } from 'hono'
import { streamSSE } from 'hono/streaming'
import { z } from 'zod'
import { streamBegin, streamEnd, streamPositionSchema } from '../shared/progress.ts'
import type { ExecutionEvent, StreamPosition, SubmissionEvent } from '../shared/progress.ts'
import type { AppEnv } from './app-env.ts'
import { errorText } from './log.ts'
import { parseWith } from './request-issues.ts'
import type { RouteAnswer } from './router.ts'
import type { Services } from './services.ts'

const pollMsMin = 500
const pollMsMax = 5_000
/** Shorter than the patience of proxies, which is a minute with most. */
const heartbeatMs = 15_000
/** At most 600 questions, of the thousand that a Worker may ask for one request. */
const connectionMsMax = 300_000
/** So soon a client whose connection has ended comes back. */
const retryMs = 1_000

/** `hasMore`: there is something to tell at once. */
export type EventBatch = { events: (SubmissionEvent | ExecutionEvent)[]; hasMore: boolean; isEnd: boolean }

/** What routes of streams take and answer, for the OpenAPI document. */
export const streamHeaders = z.object({
  'Last-Event-ID': streamPositionSchema.optional().meta({ description: 'Id of the last event that the client has; it goes on behind it' }),
})

/** @param events what the stream is made of */
export function streamAnswers(description: string, events: readonly [EventSchema, ...EventSchema[]]): Record<number, RouteAnswer> {
  const [first, ...more] = events.map(writtenEvent)
  const schema = first && more.length === 0 ? first : z.union(events.map(writtenEvent))
  return {
    // Of each event: before OpenAPI 3.2 that is what the schema of a stream is taken for.
    200: { description, schema, contentType: 'text/event-stream' },
    204: { description: 'The client has the last event: it need not come back' },
  }
}

type EventSchema = z.ZodObject<{ event: z.ZodType; id: z.ZodType; data: z.ZodType }>

/** An event as it stands in the stream, where data is JSON text. */
function writtenEvent({ shape: { event, id, data } }: EventSchema) {
  const { $schema: _dialect, ...contentSchema } = z.toJSONSchema(data, { io: 'input' })
  return z.object({ event, id, data: z.string().meta({ contentMediaType: 'application/json', contentSchema }) })
}

/** Calls `open` with where the client is; `read`, which that gives, with every question. The first one may throw what the caller is answered. */
export async function answerStream(
  c: Context<AppEnv>,
  { log, now, sleep }: Pick<Services, 'log' | 'now' | 'sleep'>,
  open: (position: Exclude<StreamPosition, 'end'>) => () => Promise<EventBatch>,
): Promise<Response> {
  const position = parseWith(streamHeaders, { 'Last-Event-ID': c.req.header('last-event-id') })['Last-Event-ID'] ?? streamBegin
  const isOver = position === streamEnd
  const read = open(isOver ? streamBegin : position)
  let batch = await read()
  if (isOver) return c.body(null, 204)
  // Nobody reads the body of an answer to HEAD, and writing it would wait for ever.
  if (c.req.method === 'HEAD') return c.body(null, 200, { 'content-type': 'text/event-stream' })

  const endsAt = now() + connectionMsMax
  return streamSSE(c, async (stream) => {
    let waitMs = pollMsMin
    let saidAt = now()
    await stream.write(`retry: ${retryMs}\n\n`)
    while (!stream.aborted) {
      for (const { event, id, data } of batch.events) await stream.writeSSE({ event, id, data: JSON.stringify(data) })
      if (batch.isEnd || now() >= endsAt) return
      waitMs = batch.events.length > 0 ? pollMsMin : Math.min(waitMs * 1.5, pollMsMax)
      if (batch.events.length > 0) saidAt = now()
      if (!batch.hasMore) await sleep(waitMs)
      if (now() - saidAt >= heartbeatMs) {
        await stream.write(':\n\n')
        saidAt = now()
      }
      if (stream.aborted) return
      try {
        batch = await read()
      } catch (error) {
        // The client comes back, and is told then when it still cannot be read.
        log.error('stream broken off', { path: c.req.path, error: errorText(error) })
        return
      }
    }
  })
}
