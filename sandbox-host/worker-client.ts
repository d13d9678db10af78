// Signed calls of the host to the Worker's internal routes.
import { signRequest } from './signature.ts'

/** The Worker is there, and says no to what it was asked. */
export class WorkerRefusal extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.name = 'WorkerRefusal'
    this.status = status
  }
}

/** @returns the answer's JSON. Rejects when the Worker did not take it; the call may be made again */
export type WorkerClient = (path: string, body: unknown, options: { timeoutMs: number; signal?: AbortSignal }) => Promise<unknown>

export function createWorkerClient({ workerUrl, secret }: { workerUrl: string; secret: string }): WorkerClient {
  return async (path, content, { timeoutMs, signal }) => {
    const url = new URL(path, workerUrl)
    const body = Buffer.from(JSON.stringify(content))
    const signature = signRequest({ secret, audience: 'worker', method: 'POST', path: url.pathname, body, now: Date.now() })
    const limit = AbortSignal.timeout(timeoutMs)
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...signature },
      body,
      signal: signal ? AbortSignal.any([limit, signal]) : limit,
    })
    const text = await response.text()
    if (!response.ok)
      throw new WorkerRefusal(response.status, `POST ${url.pathname} was answered ${response.status}: ${text.slice(0, 300)}`)
    return JSON.parse(text) as unknown
  }
}
