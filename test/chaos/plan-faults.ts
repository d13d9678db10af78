// Which faults come when: decided by the seed alone, so that a storm can be had again. What they do to the cloud: inject-faults.ts.
import type { EventLogName } from '../../local/kafka-parts.ts'
import { linkNames, type LinkName } from '../../local/stack.ts'
import { seededRandom, type SeededRandom } from './seeded-random.ts'

/** `workerd` is the runtime behind the edge, which the edge's own process watches over. */
export const partNames = ['host', 'edge', 'workerd', 'postgres', 'redis', 'neon-http', 'upstash-rest'] as const
/** There are these, too, where Kafka carries messages. */
export const kafkaPartNames = ['kafka', 'kafka-gateway'] as const
export type PartName = (typeof partNames)[number] | (typeof kafkaPartNames)[number]

/** How often each is killed in a round: the edge is slowest to come back, and while it is away nobody can do anything. */
const killed: PartName[] = [
  'host',
  'host',
  'host',
  'edge',
  'workerd',
  'postgres',
  'postgres',
  'redis',
  'neon-http',
  'neon-http',
  'upstash-rest',
]

const killedOfKafka: PartName[] = ['kafka', 'kafka-gateway', 'kafka-gateway']

/** What a connection can suffer, see faulty-link.ts. */
export const linkFaults = ['slow', 'half-open', 'lose-answers'] as const

export type Fault =
  | { kind: 'kill'; part: PartName }
  | { kind: 'freeze'; part: PartName; forMs: number }
  | { kind: (typeof linkFaults)[number]; link: LinkName; forMs: number }
  /** Of the host: what it writes to files fails, as on a full disk. */
  | { kind: 'full-disk'; forMs: number }
  /** The clock of a part is off. */
  | { kind: 'jump-clock'; part: (typeof clockParts)[number]; byMs: number; forMs: number }
  /** Messages of work that were delivered are delivered again, in another order. */
  | { kind: 'redeliver'; forMs: number }

export type PlannedFault = { atMs: number; fault: Fault }

/** Those that say what time it is to others. */
export const clockParts = ['host', 'edge'] as const
/** More than a signature may be old (shared/signing.ts), so that the other side refuses it. */
const clockMsMin = 65_000
const clockMsMax = 150_000
/** What the edge promises under a clock that is ahead lapses by so much later: only a storm that may take so long to settle has that. */
export const aheadSettleSecondsMin = 300

const forMsMin = 400
const forMsMax = 4_000

export type StormPlan = { seed: number; kills: number; seconds: number; settleSeconds: number; eventLog: EventLogName }

/** @returns in the order of time; each begins within the storm */
export function planFaults({ seed, kills, seconds, settleSeconds, eventLog }: StormPlan): PlannedFault[] {
  const random = seededRandom(seed)
  const isKafka = eventLog === 'kafka'
  const parts = dealt(isKafka ? [...killed, ...killedOfKafka] : killed, { count: kills, random })
  // As many as there are kills.
  const others = dealt(['freeze', 'full-disk', 'jump-clock', 'redeliver', ...linkFaults] as const, { count: kills, random })
  const frozen = dealt(isKafka ? [...partNames, ...kafkaPartNames] : partNames, { count: others.length, random })
  /** One after the other: there are few of them. */
  const clocks: (typeof clockParts)[number][] = dealt(clockParts, { count: others.length, random })
  const jumpMs = (part: (typeof clockParts)[number]) => {
    const isAhead = random.isHit(0.5) && (part !== 'edge' || settleSeconds >= aheadSettleSecondsMin)
    return random.between(clockMsMin, clockMsMax) * (isAhead ? 1 : -1)
  }
  const links = dealt(linkNames, { count: others.length, random })
  const forMs = () => Math.min(random.between(forMsMin, forMsMax), Math.round((seconds * 1_000) / 4))
  const faults: Fault[] = [
    ...parts.map((part) => ({ kind: 'kill', part }) as const),
    ...others.map((kind, i): Fault => {
      if (kind === 'freeze') return { kind, part: frozen[i] ?? 'host', forMs: forMs() }
      if (kind === 'full-disk' || kind === 'redeliver') return { kind, forMs: forMs() }
      if (kind === 'jump-clock') {
        const part = clocks.pop() ?? 'host'
        return { kind, part, byMs: jumpMs(part), forMs: forMs() }
      }
      return { kind, link: links[i] ?? 'edge-host', forMs: forMs() }
    }),
  ]
  // Each at a random instant of a stretch of its own: evenly spread, and yet never in step with anything.
  const stretchMs = (seconds * 1_000) / faults.length
  return random.shuffle(faults).map((fault, i) => ({ atMs: Math.round((i + random.next()) * stretchMs), fault }))
}

/** Each of the items once before any comes again, in random order. */
function dealt<T>(items: readonly T[], { count, random }: { count: number; random: SeededRandom }): T[] {
  const hand: T[] = []
  while (hand.length < count) hand.push(...random.shuffle(items))
  return hand.slice(0, count)
}

export function describeFault(fault: Fault): string {
  if (fault.kind === 'kill') return `kill -9 ${fault.part}`
  if (fault.kind === 'freeze') return `freeze ${fault.part} for ${fault.forMs} ms`
  if (fault.kind === 'full-disk') return `full disk at the host for ${fault.forMs} ms`
  if (fault.kind === 'jump-clock') return `clock of ${fault.part} off by ${fault.byMs} ms for ${fault.forMs} ms`
  if (fault.kind === 'redeliver') return `deliver messages again for ${fault.forMs} ms`
  return `${fault.kind} ${fault.link} for ${fault.forMs} ms`
}
