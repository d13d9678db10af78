// The REST face: the calls of `@upstash/kafka`, no others. The password comes before the body, so that strangers reach no parser of ours.
import type { HttpBindings } from '@hono/node-server'
import { Hono } from 'hono'
import type { Context } from 'hono'
import type { BasicAuth } from './basic-auth.ts'
import { asGatewayError, errorBody, GatewayError } from './gateway-error.ts'
import type { Delivery } from './group-member.ts'
import type { GroupMembers } from './group-members.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { Offsets } from './offsets.ts'
import type { Produce } from './produce.ts'
import type { ReadRecord, RecordReader } from './record-reader.ts'
import type { RequestGate } from './request-gate.ts'
import {
  bodyBytesMax,
  checkSizes,
  commitSchema,
  consumeSchema,
  consumeSettingsSchema,
  fetchSchema,
  instanceSchema,
  parse,
  parseJson,
  produceSchema,
  timestampSchema,
  topicPartitionsSchema,
} from './requests.ts'
import type { Topics } from './topics.ts'

export type ServerServices = {
  isAllowed: BasicAuth
  gate: RequestGate
  topics: Topics
  produce: Produce
  reader: Pick<RecordReader, 'read'>
  members: Pick<GroupMembers, 'poll' | 'find' | 'remove' | 'list'>
  offsets: Offsets
  metrics: Pick<Metrics, 'answered' | 'messages' | 'text'>
  isReady: () => Promise<boolean>
  log: Log
}

type Env = { Bindings: HttpBindings }
type Call = (c: Context<Env>, body: Buffer) => Promise<unknown>

const success = { result: 'Success', status: 200 }

export function createServer(services: ServerServices): Hono<Env> {
  const { isAllowed, gate, topics, produce, reader, members, offsets, metrics, isReady, log } = services
  const app = new Hono<Env>()

  /** A call with everything around it: gate, password, size, answer, count. `call` is what it counts as. */
  function guarded(call: string, handle: Call) {
    return async (c: Context<Env>) => {
      try {
        gate.enter()
        try {
          checkCaller(c)
          const answer = await handle(c, await gate.readBody(c, bodyBytesMax))
          metrics.answered(call, 200)
          return answer instanceof Response ? answer : c.json(answer as object)
        } finally {
          gate.leave()
        }
      } catch (thrown) {
        const error = asGatewayError(thrown)
        metrics.answered(call, error.status)
        return refused(c, error)
      }
    }
  }

  function checkCaller(c: Context<Env>): void {
    if (!isAllowed(c.req.header('authorization'))) throw new GatewayError(401, 'username or password is wrong or missing')
    const [query] = Object.keys(c.req.query())
    if (query !== undefined) throw new GatewayError(400, `query parameter ${JSON.stringify(query.slice(0, 64))} is not known`)
  }

  function refused(c: Context, error: GatewayError): Response {
    if (error.status >= 500) log.warn({ err: error, path: c.req.path }, 'request failed')
    if (error.status === 401) c.header('www-authenticate', 'Basic realm="kafka", charset="UTF-8"')
    // A body that was not read would be taken for the next request.
    if (error.status === 401 || error.status === 411 || error.status === 413) c.header('connection', 'close')
    if (error.status === 429 || error.status === 503) c.header('retry-after', '1')
    return c.json(errorBody(error), error.status)
  }

  const instanceOf = (c: Context) => parse(instanceSchema, { group: c.req.param('group'), instance: c.req.param('instance') })

  app.post(
    '/produce',
    guarded('produce', async (_, body) => {
      const messages = parse(produceSchema, parseJson(body))
      checkSizes(messages)
      const produced = await produce(messages)
      metrics.messages('produced', produced.length)
      return produced
    }),
  )

  app.post(
    '/fetch',
    guarded('fetch', async (_, body) => {
      const { from, waitMs } = parse(fetchSchema, parseJson(body))
      await topics.check(from)
      const { records } = await reader.read(
        from.map(({ topic, partition, offset }) => ({ topic, partition, offset: BigInt(offset) })),
        waitMs,
      )
      metrics.messages('consumed', records.length)
      return records.map(messageOf)
    }),
  )

  app.post(
    '/consume/:group/:instance',
    guarded('consume', async (c, body) => {
      const name = instanceOf(c)
      const { topics: wanted, waitMs } = parse(consumeSchema, parseJson(body))
      const headers = parse(consumeSettingsSchema, c.req.header())
      for (const topic of wanted) await topics.find(topic)
      const settings = {
        topics: wanted,
        isAutoCommit: headers['kafka-enable-auto-commit'] === 'true',
        autoCommitMs: headers['kafka-auto-commit-interval'],
        reset: headers['kafka-auto-offset-reset'],
      }
      const delivery = await members.poll(name, settings, waitMs)
      metrics.messages('consumed', delivery.records.length)
      return deliver(c, delivery)
    }),
  )

  app.post(
    '/commit/:group/:instance',
    guarded('commit', async (c, body) => {
      const wanted = body.length === 0 ? undefined : parse(commitSchema, parseJson(body))
      await members.find(instanceOf(c)).commit(wanted)
      return success
    }),
  )

  app.post(
    '/committed/:group/:instance',
    guarded('committed', async (c, body) => offsets.committed(instanceOf(c).group, parse(topicPartitionsSchema, parseJson(body)))),
  )

  app.post(
    '/offsets/:timestamp',
    guarded('offsets', async (c, body) => {
      const { timestamp } = parse(timestampSchema, { timestamp: c.req.param('timestamp') })
      return offsets.at(timestamp, parse(topicPartitionsSchema, parseJson(body)))
    }),
  )

  app.get(
    '/topics',
    guarded('topics', () => topics.list()),
  )

  app.get(
    '/consumers',
    guarded('consumers', async () => members.list()),
  )

  app.post(
    '/delete-consumer/:group/:instance',
    guarded('delete-consumer', async (c) => {
      await members.remove(instanceOf(c))
      return success
    }),
  )

  app.get(
    '/metrics',
    guarded('metrics', async (c) => c.text(await metrics.text(), 200, { 'content-type': 'text/plain; version=0.0.4' })),
  )

  app.get('/health', (c) => c.json({ status: 'ok' }))

  app.get('/ready', async (c) => ((await isReady()) ? c.json({ status: 'ready' }) : c.json({ status: 'unavailable' }, 503)))

  app.notFound((c) => refused(c, new GatewayError(404, `${c.req.method} ${c.req.path.slice(0, 200)} is no call of this gateway`)))

  app.onError((error, c) => refused(c, asGatewayError(error)))

  /** The positions move when the answer has left this process, and stay where the caller is gone before. */
  function deliver(c: Context<Env>, { records, settle }: Delivery): Response {
    const { outgoing } = c.env
    if (outgoing.destroyed) settle(false)
    else outgoing.once('close', () => settle(outgoing.writableFinished))
    return c.json(records.map(messageOf))
  }

  return app
}

type Message = {
  topic: string
  partition: number
  offset: number
  timestamp: number
  key: string
  value: string
  headers: { key: string; value: string }[]
}

/** The protocol knows text alone: what is no UTF-8 is replaced, and nothing reads as an empty text. */
function messageOf({ topic, partition, offset, timestamp, key, value, headers }: ReadRecord): Message {
  const text = (bytes: Buffer | null) => bytes?.toString('utf8') ?? ''
  return {
    topic,
    partition,
    offset: Number(offset),
    timestamp: Number(timestamp),
    key: text(key),
    value: text(value),
    headers: headers.map((header) => ({ key: text(header[0]), value: text(header[1]) })),
  }
}
