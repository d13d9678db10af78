// The Worker as the host sees it: takes signed batches of outcomes and beats and remembers them, with failures on request.
import { createServer } from 'node:http'
import { hostBeatSchema, type HostBeat } from '../../shared/host.ts'
import { outcomeBatchSchema } from '../../shared/execution.ts'
import type { ExecutionRecord } from '../../shared/execution.ts'
import { signatureHeader } from '../../shared/signing.ts'
import { NonceMemory } from '../../sandbox-host/nonce-memory.ts'
import { createSignatureCheck } from '../../sandbox-host/signature.ts'
import { readAll } from './bucket-server.ts'
import { serveOnFreePort } from './serve-on-free-port.ts'
import type { TestServer } from './serve-on-free-port.ts'

/** `losesAnswers`: what it takes it keeps, and the host is not told. `isFromBefore`: it does not know that hosts rest. */
export type WorkerServer = TestServer & {
  records: ExecutionRecord[]
  batches: number
  beats: HostBeat[]
  failing: boolean
  losesAnswers: boolean
  isFromBefore: boolean
}

export async function startWorkerServer(secret: string): Promise<WorkerServer> {
  const switches = { failing: false, losesAnswers: false, isFromBefore: false }
  const state = { records: [] as ExecutionRecord[], batches: 0, beats: [] as HostBeat[], ...switches }
  const check = createSignatureCheck({ secret, audience: 'worker', nonces: new NonceMemory() })
  const server = createServer((request, response) => {
    void (async () => {
      const body = await readAll(request)
      if (state.failing) return response.writeHead(503).end('no')
      try {
        const header = request.headers[signatureHeader.toLowerCase()]
        check({ method: request.method ?? '', path: request.url ?? '', header: String(header), body })
        if (request.url === '/internal/hosts') {
          const beat = hostBeatSchema.parse(JSON.parse(body.toString()))
          if (state.isFromBefore && beat.state === 'resting') throw new Error('state: resting')
          state.beats.push(beat)
          return response.writeHead(200).end('{}')
        }
        const batch = outcomeBatchSchema.parse(JSON.parse(body.toString()))
        state.records.push(...batch.records)
        state.batches++
        if (state.losesAnswers) return response.destroy()
        return response.writeHead(200).end(JSON.stringify({ acknowledged: batch.records.length }))
      } catch (error) {
        return response.writeHead(400).end(String(error))
      }
    })()
  })
  return Object.assign(state, await serveOnFreePort(server))
}
