// The Worker in a storm, bundled in the place of its own entry: the Worker itself, under a clock that jumps, and behind a queue that delivers
// again what was taken, in another order. What the weather is it asks of the storm (../weather.ts).
import { moveClock, trueNow } from './shifted-date.ts'
// Behind it, so that the clock that it keeps is the one that is moved.
import worker from '../../../workers/index.ts'
import type { Env } from '../../../workers/env.ts'

type StormyEnv = Env & { WEATHER_URL: string }

/** So long a look at the weather is good for. */
const lookMs = 100
/** Bodies that were taken: so many are kept to be delivered again. */
const takenMax = 50
const lateSecondsMax = 3

let lookedAt = 0
let redelivers = false
const taken: unknown[] = []
const sentAgain = new Set<string>()

async function look({ WEATHER_URL }: StormyEnv): Promise<void> {
  if (trueNow() - lookedAt < lookMs) return
  lookedAt = trueNow()
  const response = await fetch(WEATHER_URL, { signal: AbortSignal.timeout(500) }).catch(() => undefined)
  const weather = await response?.json<{ clockOffsetMs: number; redelivers: boolean }>().catch(() => undefined)
  if (!weather) return
  moveClock(weather.clockOffsetMs)
  redelivers = weather.redelivers
}

/** Each that was taken twice more: at once, in the reverse order, and late. */
async function redeliver(env: StormyEnv): Promise<void> {
  if (redelivers) await sendAgain(env).catch((error: unknown) => console.error('not delivered again', error))
}

async function sendAgain({ EVENT_QUEUE, WEATHER_URL }: StormyEnv): Promise<void> {
  const again = taken.splice(0).filter((body) => !sentAgain.has(JSON.stringify(body)))
  if (again.length === 0) return
  for (const body of again) sentAgain.add(JSON.stringify(body))
  const messages = again.toReversed().map((body) => ({ body, contentType: 'json' as const }))
  await EVENT_QUEUE.sendBatch(messages)
  await EVENT_QUEUE.sendBatch(messages.toReversed(), { delaySeconds: Math.ceil(Math.random() * lateSecondsMax) })
  await fetch(WEATHER_URL, { method: 'POST', body: String(2 * messages.length) })
}

export default {
  async fetch(request, env, context) {
    await look(env)
    context.waitUntil(redeliver(env))
    return worker.fetch(request, env, context)
  },

  async scheduled(controller, env) {
    await look(env)
    await worker.scheduled(controller, env)
  },

  async queue(batch, env) {
    await look(env)
    await worker.queue(batch, env)
    taken.push(...batch.messages.map(({ body }) => body))
    taken.splice(0, taken.length - takenMax)
    await redeliver(env)
  },
} satisfies ExportedHandler<StormyEnv>
