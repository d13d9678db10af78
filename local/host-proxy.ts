// Child: the proxy in front of several hosts, as Fly's is in front of Machines: `fly-force-instance-id` names the one that must be reached,
// `fly-prefer-instance-id` one that is tried first; without either, or when that one cannot be reached, whoever has the least under way.
// https://fly.io/docs/networking/dynamic-request-routing/
import { Agent, createServer, request as httpRequest } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { z } from 'zod'
import { preferInstanceHeader } from '../shared/host.ts'
import { loopback } from './free-port.ts'
import { childSetting, runChild } from './run-child.ts'

const forceInstanceHeader = 'fly-force-instance-id'
const unavailableHeader = 'fly-preferred-instance-unavailable'

type Instance = { id: string; port: number; underWay: number }

/** What happened to a request that was sent to an instance. */
type Fate = 'answered' | 'unreachable'

const agent = new Agent({ keepAlive: true, maxSockets: Infinity })

await runChild(async () => {
  const port = Number(childSetting('PORT'))
  const ports = z.record(z.string(), z.number()).parse(JSON.parse(childSetting('INSTANCES')))
  const instances = Object.entries(ports).map(([id, of]): Instance => ({ id, port: of, underWay: 0 }))
  const server = createServer((request, response) => void route(instances, request, response))
  // Longer than whoever calls keeps an idle connection.
  server.keepAliveTimeout = 75_000
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, loopback, resolve))
  return {
    port,
    stop: async () => {
      server.close()
      server.closeAllConnections()
      agent.destroy()
    },
  }
})

async function route(instances: Instance[], request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [forced, preferred] = [request.headers[forceInstanceHeader], request.headers[preferInstanceHeader]]
  const wanted = instances.find(({ id }) => id === (forced ?? preferred))
  if (wanted && (await pass(request, response, { to: wanted })) === 'answered') return
  const others = forced === undefined ? instances.filter((instance) => instance !== wanted) : []
  const headers = preferred === undefined ? {} : { [unavailableHeader]: String(preferred) }
  for (const to of others.toSorted((a, b) => a.underWay - b.underWay)) {
    if ((await pass(request, response, { to, headers })) === 'answered') return
  }
  if (!response.headersSent) response.writeHead(503).end('no instance can be reached')
}

/** Once a byte of the body may have been taken nothing is sent again: whatever goes wrong then is the answer. */
function pass(
  request: IncomingMessage,
  response: ServerResponse,
  { to, headers = {} }: { to: Instance; headers?: Record<string, string> },
): Promise<Fate> {
  const { promise, resolve } = Promise.withResolvers<Fate>()
  to.underWay++
  const { method, url: path } = request
  const sent = httpRequest({ host: loopback, port: to.port, method, path, headers: { ...request.headers, ...headers }, agent })
  let isConnected = false
  // Node calls back before anything is written, at once for a connection that was kept.
  sent.once('socket', (socket) => {
    const begin = () => {
      isConnected = true
      request.pipe(sent)
    }
    if (socket.connecting) socket.once('connect', begin)
    else begin()
  })
  sent.once('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(response)
    // An answer that breaks off breaks off here, too.
    answer.once('error', () => response.destroy())
  })
  sent.once('error', () => {
    if (!isConnected) return resolve('unreachable')
    if (!response.headersSent) response.writeHead(502).end('the instance was lost')
    else response.destroy()
    return resolve('answered')
  })
  response.once('close', () => {
    // The caller has gone: whoever works for him is told.
    if (!response.writableFinished) sent.destroy()
    resolve('answered')
  })
  return promise.finally(() => {
    to.underWay--
  })
}
