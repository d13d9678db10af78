// An HTTP proxy that counts what passes between two parts of the local cloud, where a bill would: requests and bytes, seen on the wire by
// somebody who is neither. It stands in for a link of local/stack.ts.
import { Agent, createServer, request as ask, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { loopback } from '../local/free-port.ts'
import type { LinkName } from '../local/stack.ts'

export type LinkCounts = {
  /** By method and path; of a path only what no id is in. */
  requests: Record<string, number>
  /** Statements of a Neon request, commands of an Upstash request. */
  parts: number
  requestBytes: number
  responseBytes: number
}

export type CountingLink = { port: number; counts: () => LinkCounts; close: () => void }

export async function openCountingLink(name: LinkName, target: number): Promise<CountingLink> {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 })
  const seen: LinkCounts = { requests: {}, parts: 0, requestBytes: 0, responseBytes: 0 }

  const server: Server = createServer((from, to) => {
    const key = `${from.method} ${placeOf(from.url ?? '/')}`
    seen.requests[key] = (seen.requests[key] ?? 0) + 1
    const isCounted = name === 'edge-neon' || name === 'edge-upstash'
    const onwards = ask({ host: loopback, port: target, method: from.method, path: from.url, headers: from.headers, agent }, (answer) => {
      to.writeHead(answer.statusCode ?? 502, answer.headers)
      count(answer, (bytes) => (seen.responseBytes += bytes))
      answer.pipe(to)
    })
    onwards.on('error', () => to.destroy())
    to.on('close', () => onwards.destroy())
    count(from, (bytes) => (seen.requestBytes += bytes))
    if (isCounted) void collected(from).then((body) => (seen.parts += partsOf(body)))
    from.pipe(onwards)
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, loopback, resolve))
  return {
    // A server that listens on a port has an address.
    port: (server.address() as AddressInfo).port,
    counts: () => structuredClone(seen),
    close: () => {
      server.close()
      server.closeAllConnections()
      agent.destroy()
    },
  }
}

function count(stream: IncomingMessage, add: (bytes: number) => void): void {
  stream.on('data', (chunk: Buffer) => add(chunk.length))
}

async function collected(stream: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  await new Promise((resolve) => stream.once('close', resolve))
  return Buffer.concat(chunks).toString()
}

/** A batch is a list: `queries` of Neon, a pipeline of Upstash. */
function partsOf(body: string): number {
  try {
    const parsed: unknown = JSON.parse(body)
    if (Array.isArray(parsed)) return Array.isArray(parsed[0]) ? parsed.length : 1
    const isBatch = typeof parsed === 'object' && parsed !== null && 'queries' in parsed && Array.isArray(parsed.queries)
    return isBatch ? (parsed.queries as unknown[]).length : 1
  } catch {
    return 1
  }
}

/** Ids, hashes and numbers of bundles are left out. */
function placeOf(url: string): string {
  const path = url.split('?', 1)[0] ?? url
  return path.replaceAll(/[a-z]{3}_[0-9a-z]{26}|[0-9a-f]{64}|\d{12}/g, '*')
}

/** What came to `before` since. */
export function countsSince(before: LinkCounts, after: LinkCounts): LinkCounts {
  const requests = Object.entries(after.requests).map(([key, value]) => [key, value - (before.requests[key] ?? 0)] as const)
  return {
    requests: Object.fromEntries(requests.filter(([, value]) => value > 0)),
    parts: after.parts - before.parts,
    requestBytes: after.requestBytes - before.requestBytes,
    responseBytes: after.responseBytes - before.responseBytes,
  }
}

export function requestsOf({ requests }: LinkCounts, pattern = /./): number {
  return Object.entries(requests).reduce((sum, [key, value]) => (pattern.test(key) ? sum + value : sum), 0)
}
