// Idempotency keys over a map. One thread takes the place of the primary key: nothing is awaited between looking and claiming.
import { claimMs, keptMs } from '../../shared/idempotency.ts'
import type { IdempotencyClaim, IdempotencyStore, KeptAnswer } from '../../shared/ports.ts'

type Kept = { requestSha256: string; claim: string; claimedUntil: number; firstAt: number; attempts: number; answer?: KeptAnswer }

export function memoryIdempotencyStore(): IdempotencyStore {
  const kept = new Map<string, Kept>()
  const nameOf = ({ owner, key }: Pick<IdempotencyClaim, 'owner' | 'key'>) => `${owner} ${key}`

  function mine(of: Pick<IdempotencyClaim, 'owner' | 'key' | 'claim'>): Kept | undefined {
    const held = kept.get(nameOf(of))
    return held?.claim === of.claim && !held.answer ? held : undefined
  }

  return {
    async claim(of) {
      const now = Date.parse(of.at)
      const { requestSha256, claim } = of
      const found = kept.get(nameOf(of))
      const held = found && found.firstAt > now - keptMs ? found : undefined
      if (held?.answer) return { state: 'answered', requestSha256: held.requestSha256, answer: held.answer }
      if (held && (held.claimedUntil > now || held.requestSha256 !== requestSha256)) {
        return { state: 'in-progress', requestSha256: held.requestSha256 }
      }
      const { firstAt, attempts } = held ?? { firstAt: now, attempts: 0 }
      kept.set(nameOf(of), { requestSha256, claim, claimedUntil: now + claimMs, firstAt, attempts: attempts + 1 })
      return { state: 'claimed', firstAt: new Date(firstAt).toISOString(), isRetry: attempts > 0 }
    },
    async answer(of, answer) {
      const held = mine(of)
      if (held) held.answer = answer
    },
    async release(of) {
      const held = mine(of)
      if (held) held.claimedUntil = 0
    },
  }
}
