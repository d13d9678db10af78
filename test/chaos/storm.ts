// One storm: callers at work, faults over the cloud, then calm, and the check of what is left. The seed decides the faults and the inputs;
// when exactly each meets the other is the machine's doing.
import { setTimeout as sleep } from 'node:timers/promises'
import { untilReady } from '../../local/edge-account.ts'
import { Caller } from './caller.ts'
import { castCallers } from './cast-callers.ts'
import { checkStorm } from './check-storm.ts'
import { isAcknowledged, type Deed } from './deed.ts'
import type { Finding } from './finding.ts'
import { injectFaults } from './inject-faults.ts'
import { planFaults, type StormPlan } from './plan-faults.ts'
import { heldReader, type HeldReader } from './read-held.ts'
import { seededRandom } from './seeded-random.ts'
import type { StormCloud } from './storm-cloud.ts'
import { openWebhookReceiver } from './webhook-receiver.ts'
import { runWorkload } from './workload.ts'

export type StormOptions = StormPlan & {
  /** How long the cloud may take to settle. */
  settleSeconds: number
  report: (line: string) => void
}

export type StormResult = {
  seed: number
  kills: number
  stormSeconds: number
  settledAfterSeconds: number
  faults: Record<string, number>
  /** Messages that were delivered again. */
  messagesAgain: number
  /** By kind of deed. */
  deeds: Record<string, { acknowledged: number; refused: number; unanswered: number }>
  answers: Record<string, number>
  findings: Finding[]
}

/** A claim whose Worker died lapses after 90 s (shared/idempotency.ts); whoever waits for less cannot ask for every answer. */
const everyAnswerSeconds = 100
const lookEveryMs = 1_500
const glanceEveryMs = 1_000
const reportEveryMs = 20_000

export async function runStorm(cloud: StormCloud, options: StormOptions): Promise<StormResult> {
  const { seed, seconds, settleSeconds, report } = options
  const { stack } = cloud
  const plan = planFaults(options)
  const receiver = await openWebhookReceiver()
  const giveUp = new AbortController()
  // Faults have choices of their own: the same seed plans the same storm whatever callers do.
  const random = seededRandom(seed + 1)
  const caller = new Caller({ baseUrl: stack.baseUrl, random, giveUp: giveUp.signal })
  try {
    const cast = await castCallers({ stack, caller, webhookUrl: receiver.url })
    const accounts = [cast.patron, ...cast.authors]
    const stormStarted = performance.now()
    const until = stormStarted + seconds * 1_000
    const keys = new Map(accounts.map(({ id, key }) => [id, key]))
    const apiKeyOf = (accountId: string) => keys.get(accountId) ?? ''
    const reader = heldReader({ stack, deeds: caller.deeds, apiKeyOf, heardEventIds: receiver.heard })
    const work = [runWorkload({ caller, cast, random, until }), glanceUntil(reader, until)]
    const [{ counts }] = await Promise.all([injectFaults(cloud, { plan, report }), ...work])
    const calmStarted = performance.now()
    report(`calm after ${Math.round((calmStarted - stormStarted) / 1_000)} s; ${caller.unanswered} requests are not answered yet`)
    receiver.calm()
    await untilReady({ baseUrl: stack.baseUrl, signal: undefined, advice: () => '' })

    const deadline = calmStarted + settleSeconds * 1_000
    let findings: Finding[]
    let reportedAt = calmStarted
    do {
      await sleep(lookEveryMs)
      const mustBeAnswered = settleSeconds >= everyAnswerSeconds
      findings = checkStorm({ deeds: caller.deeds, held: await reader.read(), listening: new Set(keys.keys()), mustBeAnswered })
      const [first] = findings
      if (first && performance.now() - reportedAt > reportEveryMs) {
        reportedAt = performance.now()
        report(`not settled: ${findings.length} findings, the first one ${first.kind}: ${first.what}: ${first.ids.join(' ')}`)
      }
    } while (findings.length > 0 && performance.now() < deadline)
    return {
      seed,
      kills: Object.entries(counts).reduce((sum, [name, times]) => sum + (name.startsWith('kill ') ? times : 0), 0),
      stormSeconds: Math.round((calmStarted - stormStarted) / 1_000),
      settledAfterSeconds: Math.round((performance.now() - calmStarted) / 1_000),
      faults: counts,
      messagesAgain: cloud.redelivery.sentAgain(),
      deeds: countDeeds(caller.deeds),
      answers: caller.answers,
      findings,
    }
  } finally {
    giveUp.abort()
    await caller.settled()
    await receiver.close()
  }
}

async function glanceUntil(reader: HeldReader, until: number): Promise<void> {
  while (performance.now() < until) {
    // Postgres is away at times.
    await reader.glance().catch(() => {})
    await sleep(glanceEveryMs)
  }
}

function countDeeds(deeds: readonly Deed[]): StormResult['deeds'] {
  const counts: StormResult['deeds'] = {}
  for (const deed of deeds) {
    const count = (counts[deed.aim.kind] ??= { acknowledged: 0, refused: 0, unanswered: 0 })
    count[isAcknowledged(deed) ? 'acknowledged' : deed.refusal === undefined ? 'unanswered' : 'refused']++
  }
  return counts
}
