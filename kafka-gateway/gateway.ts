// The whole gateway as one value: its parts put together, listening, and able to stop without losing what it has accepted.
import { serve, type ServerType } from '@hono/node-server'
import { basicAuth } from './basic-auth.ts'
import type { Config } from './config.ts'
import { GroupMembers } from './group-members.ts'
import { kafkaClients } from './kafka-clients.ts'
import type { Log } from './log.ts'
import { Metrics } from './metrics.ts'
import { createOffsets } from './offsets.ts'
import { createProduce } from './produce.ts'
import { RecordReader } from './record-reader.ts'
import { RequestGate } from './request-gate.ts'
import { createServer } from './server.ts'
import { Topics } from './topics.ts'

export type Gateway = {
  port: number
  /** Refuses requests, answers those under way, leaves the groups, closes. Bounded by the configured grace. */
  stop: () => Promise<void>
}

/** Slow senders are cut. */
const serverOptions = { headersTimeout: 5_000, requestTimeout: 15_000, keepAliveTimeout: 30_000, maxHeaderSize: 8 * 1024 }
/** Slow readers too: nothing has moved for so long, which is more than the longest wait for messages. */
const silenceMsMax = 60_000
const connectionsMax = 2_048
/** Whoever asks how often: the broker is asked at most once in this time. */
const probeEveryMs = 1_000

export async function startGateway({ config, log }: { config: Config; log: Log }): Promise<Gateway> {
  const clients = kafkaClients(config.kafka)
  const admin = clients.admin()
  const producer = clients.producer()
  const topics = new Topics(admin)
  const reader = new RecordReader({ createReader: clients.reader, topics })
  const now = () => performance.now()
  const { instancesMax, instanceIdleMs } = config
  const members = new GroupMembers({ clients, reader, instancesMax, instanceIdleMs, log, now })
  const gate = new RequestGate(config.requestsMax)
  const answers = remembered(() => admin.metadata({ topics: [], forceUpdate: true, retries: 0 }))
  const app = createServer({
    isAllowed: basicAuth(config),
    gate,
    topics,
    produce: createProduce({ producer, topics, now: () => Date.now() }),
    reader,
    members,
    offsets: createOffsets({ admin, topics }),
    metrics: new Metrics({ instances: () => members.count, underWay: () => gate.underWay }),
    isReady: async () => !gate.isDraining && (await answers()),
    log,
  })
  const { server, port } = await listen(app.fetch, config)
  log.info({ port, brokers: config.kafka.brokers }, 'listening')

  return {
    port,
    stop: async () => {
      const isIdle = await gate.drain(config.drainGraceMs)
      if (!isIdle) log.warn({ underWay: gate.underWay }, 'stopping although requests are under way')
      server.close()
      if ('closeIdleConnections' in server) server.closeIdleConnections()
      // Deliveries settle as their answers leave, which the end of the connections waits for shortly.
      await new Promise((resolve) => setTimeout(resolve, 50))
      if ('closeAllConnections' in server) server.closeAllConnections()
      await members.close()
      await Promise.allSettled([reader.close(), producer.close(), admin.close()])
    },
  }
}

/** One question at a time, and its answer for a while. */
function remembered(probe: () => Promise<unknown>): () => Promise<boolean> {
  let known: Promise<boolean> | undefined
  let askedAt = Number.NEGATIVE_INFINITY
  return () => {
    if (known === undefined || performance.now() - askedAt >= probeEveryMs) {
      askedAt = performance.now()
      known = probe().then(
        () => true,
        () => false,
      )
    }
    return known
  }
}

function listen(fetch: Parameters<typeof serve>[0]['fetch'], { port, bind }: Config): Promise<{ server: ServerType; port: number }> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, port, hostname: bind, serverOptions }, (info) => resolve({ server, port: info.port }))
    if ('maxConnections' in server) server.maxConnections = connectionsMax
    server.setTimeout(silenceMsMax)
    server.on('error', (cause: NodeJS.ErrnoException) => {
      const advice =
        cause.code === 'EADDRINUSE' ? 'the port is taken, set GATEWAY_PORT to a free one' : 'check GATEWAY_BIND and GATEWAY_PORT'
      reject(new Error(`cannot listen on ${bind}:${port}: ${advice}`, { cause }))
    })
  })
}
