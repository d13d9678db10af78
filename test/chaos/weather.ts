// What a storm does to clocks and to deliveries: from here the parts of the cloud learn of it, by what stands between them and their platform
// (worker/stormy-worker.ts, shifted-host.ts). Deliveries are those of queues here; those of Kafka: redeliver-kafka.ts.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { loopback } from '../../local/free-port.ts'
import type { Between } from '../../local/stack.ts'
import type { Redelivery } from './redeliver-kafka.ts'

export type Weather = Redelivery & {
  between: Between
  /** @param part `edge`, or a host by its name */
  moveClock: (part: string, byMs: number) => void
  close: () => Promise<void>
}

/** @param directory for what hosts read */
export async function openWeather(directory: string): Promise<Weather> {
  let clockOffsetMs = 0
  let redelivering = 0
  let sentAgain = 0
  mkdirSync(directory, { recursive: true })
  const clockFile = (name: string) => join(directory, `${name}.clock`)

  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk) => (text += String(chunk)))
    request.on('end', () => {
      if (request.method === 'POST') sentAgain += Number(text)
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ clockOffsetMs, redelivers: redelivering > 0 }))
    })
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, loopback, resolve))
  const url = `http://${loopback}:${(server.address() as AddressInfo).port}/`

  return {
    between: {
      workerEntry: 'test/chaos/worker/stormy-worker.ts',
      workerBindings: { WEATHER_URL: url },
      hostImport: 'test/chaos/shifted-host.ts',
      hostSettings: (name) => ({ CLOCK_FILE: clockFile(name) }),
    },
    moveClock(part, byMs) {
      if (part === 'edge') {
        clockOffsetMs = byMs
        return
      }
      // Whole, whenever the host looks.
      const file = clockFile(part)
      writeFileSync(`${file}.new`, String(byMs))
      renameSync(`${file}.new`, file)
    },
    redeliver() {
      redelivering++
      return () => void redelivering--
    },
    sentAgain: () => sentAgain,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}
