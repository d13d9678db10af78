// A bucket over HTTP that keeps objects in memory: enough of S3 for the host, with failures on request.
import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { serveOnFreePort } from './serve-on-free-port.ts'
import type { TestServer } from './serve-on-free-port.ts'

export type BucketServer = TestServer & { objects: Map<string, Buffer>; requests: string[]; failing: boolean }

export async function startBucketServer(): Promise<BucketServer> {
  const state = { objects: new Map<string, Buffer>(), requests: [] as string[], failing: false }
  const server = createServer((request, response) => {
    void (async () => {
      const key = (request.url ?? '').replace(/^\/bucket\//, '')
      state.requests.push(`${request.method} ${key}`)
      const body = await readAll(request)
      if (!request.headers.authorization?.startsWith('AWS4-HMAC-SHA256 Credential=')) return response.writeHead(403).end()
      if (state.failing) return response.writeHead(503).end('slow down')
      if (request.method === 'PUT') {
        state.objects.set(key, body)
        return response.writeHead(200).end()
      }
      const object = state.objects.get(key)
      return object ? response.writeHead(200).end(object) : response.writeHead(404).end()
    })()
  })
  return Object.assign(state, await serveOnFreePort(server, '/bucket'))
}

export async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks)
}
