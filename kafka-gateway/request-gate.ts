// Bounds on what is under way: requests, and bytes of bodies that are being read. Shutdown refuses new requests here, and waits for the rest.
import type { Context } from 'hono'
import { GatewayError } from './gateway-error.ts'

const bytesUnderWayMax = 32 * 1024 * 1024

export class RequestGate {
  isDraining = false
  readonly #requestsMax: number
  #underWay = 0
  #bytesUnderWay = 0
  #whenIdle: (() => void) | undefined

  constructor(requestsMax: number) {
    this.#requestsMax = requestsMax
  }

  get underWay(): number {
    return this.#underWay
  }

  /** @throws GatewayError 503 while stopping, 429 when there are too many */
  enter(): void {
    if (this.isDraining) throw new GatewayError(503, 'the gateway is stopping')
    if (this.#underWay >= this.#requestsMax) throw new GatewayError(429, `${this.#requestsMax} requests are under way, which is all`)
    this.#underWay++
  }

  leave(): void {
    this.#underWay--
    if (this.#underWay === 0) this.#whenIdle?.()
  }

  /** @throws GatewayError 411, 413, 429 */
  async readBody(c: Context, bytesMax: number): Promise<Buffer> {
    if (c.req.header('transfer-encoding') !== undefined) throw new GatewayError(411, 'a body needs the header Content-Length')
    // Node's parser ends the body at exactly the length that was declared.
    const bytes = Number(c.req.header('content-length') ?? 0)
    if (bytes === 0) return Buffer.alloc(0)
    if (bytes > bytesMax) throw new GatewayError(413, `the body has ${bytes} bytes; at most ${bytesMax} are allowed`)
    if (this.#bytesUnderWay + bytes > bytesUnderWayMax) throw new GatewayError(429, 'too many large bodies are on their way')
    this.#bytesUnderWay += bytes
    try {
      return Buffer.from(await c.req.arrayBuffer())
    } finally {
      this.#bytesUnderWay -= bytes
    }
  }

  /** Refuses from now on. @returns false when `ms` passed before the last request had left */
  drain(ms: number): Promise<boolean> {
    this.isDraining = true
    if (this.#underWay === 0) return Promise.resolve(true)
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms, false)
      this.#whenIdle = () => {
        clearTimeout(timer)
        resolve(true)
      }
    })
  }
}
