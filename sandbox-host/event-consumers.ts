// Takes messages of work from Kafka, with EVENT_LOG=kafka. All hosts of a group share them. What a message is about is decided where the rows
// are: the Worker takes its turn, and says what there is to do. What is no message of ours is told to the Worker, which keeps it as a dead letter.
//
//   check ─▶ [ held until its time ] ─▶ [ a place ] ─┬─ judgings ──▶ POST /internal/messages: the Worker judges a turn ─▶ commit
//     │                                              └─ executions ─▶ claim ─▶ run ─▶ journal ─▶ commit (claimed-runs.ts)
//     └─▶ POST /internal/dead-letters ─▶ commit
import { createHash } from 'node:crypto'
import { keptMessageCharsMax } from '../shared/dead-letter.ts'
import type { RefusedMessage } from '../shared/dead-letter.ts'
import type { EventMessage } from '../shared/event-log.ts'
import type { ClaimedRuns } from './claimed-runs.ts'
import type { KafkaConfig } from './kafka-config.ts'
import { KafkaConsumer } from './kafka-consumer.ts'
import type { TakenMessage } from './kafka-consumer.ts'
import type { Log } from './log.ts'
import { createMessageCheck, MessageRefused } from './message-check.ts'
import { Places } from './places.ts'
import { WorkerRefusal, type WorkerClient } from './worker-client.ts'

/** Messages that are held, wait for a place or are worked on: 64 KiB each at most. What is not committed of them comes again after a crash. */
const underWayMax = 256
/** As long as a turn may take: workers/adapters/sandbox-http.ts. Whoever gives up earlier breaks the turn off. */
const judgingMsMax = 330_000
const deadLetterMsMax = 15_000
/** Of messages that are put aside at once. */
const putAsideMax = 4

export type EventConsumersOptions = {
  kafka: KafkaConfig
  secret: string
  /** Name of this host. */
  host: string
  worker: WorkerClient
  /** Turns of judging at once. */
  judgingsMax: number
  runClaimed: ClaimedRuns
  /** Runs at once. */
  runsMax: number
  log: Log
}

export type EventConsumers = {
  start: () => void
  drain: (ms: number) => Promise<void>
  stats: () => { judgingsUnderWay: number; executionsUnderWay: number; messagesRefused: number }
}

export function createEventConsumers({
  kafka,
  secret,
  host,
  worker,
  judgingsMax,
  runClaimed,
  runsMax,
  log,
}: EventConsumersOptions): EventConsumers {
  const check = createMessageCheck({ secret })
  const aside = new Places(putAsideMax)
  let messagesRefused = 0

  async function putAside(message: TakenMessage, { refusal, message: detail }: MessageRefused): Promise<void> {
    const { topic, partition, offset, value } = message
    messagesRefused++
    log.warn({ topic, partition, offset: Number(offset), refusal, detail }, 'a message was refused')
    const refused: RefusedMessage = {
      host,
      topic,
      partition,
      offset: Number(offset),
      refusal,
      detail,
      bytes: value.length,
      sha256: createHash('sha256').update(value).digest('hex'),
      text: textOf(value),
    }
    await worker('/internal/dead-letters', refused, { timeoutMs: deadLetterMsMax })
  }

  type Work = { placesMax: number; work: (message: EventMessage) => Promise<void> }

  function consumer(topic: EventMessage['topic'], { placesMax, work }: Work): KafkaConsumer {
    const places = new Places(placesMax)
    const { group, topicPrefix, ...access } = kafka
    return new KafkaConsumer({
      ...access,
      group: `${group}-${topic}`,
      topics: [topicPrefix + topic],
      underWayMax,
      log,
      handle: async (message, draining) => {
        let held
        try {
          held = check(message)
        } catch (error) {
          if (!(error instanceof MessageRefused)) throw error
          return aside.hold(() => putAside(message, error), draining)
        }
        const { notBefore = 0, message: found } = held
        await until(notBefore, draining)
        await places
          .hold(() => work(found), draining)
          .catch((error: unknown) => {
            // A Worker of another version: it will say so again.
            if (!(error instanceof WorkerRefusal && error.status === 400)) throw error
            return aside.hold(() => putAside(message, new MessageRefused('malformed', error.message.slice(0, 500))), draining)
          })
      },
    })
  }

  const judgings = consumer('judgings', {
    placesMax: judgingsMax,
    work: async (message) => void (await worker('/internal/messages', { host, message }, { timeoutMs: judgingMsMax })),
  })
  const executions = consumer('executions', {
    placesMax: runsMax,
    work: async (message) => (message.topic === 'executions' ? runClaimed(message) : undefined),
  })
  return {
    start: () => {
      judgings.start()
      executions.start()
    },
    drain: async (ms) => void (await Promise.all([judgings.drain(ms), executions.drain(ms)])),
    stats: () => ({ judgingsUnderWay: judgings.underWay, executionsUnderWay: executions.underWay, messagesRefused }),
  }
}

/** Longer than any back-off: a clock that is far ahead holds nothing for ever. */
const heldMsMax = 60_000

function until(instant: number, signal: AbortSignal): Promise<void> {
  const ms = Math.min(instant - Date.now(), heldMsMax)
  if (ms <= 0) return Promise.resolve()
  return new Promise((resolve, reject) => {
    const giveUp = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', giveUp)
      resolve()
    }, ms)
    if (signal.aborted) giveUp()
    else signal.addEventListener('abort', giveUp, { once: true })
  })
}

/** Postgres takes no NUL. */
function textOf(value: Buffer): string {
  return value.subarray(0, keptMessageCharsMax).toString('utf8').replaceAll('\0', '\uFFFD').slice(0, keptMessageCharsMax)
}
