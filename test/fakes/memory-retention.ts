// What the sweep asks of the database, over maps.
import { isRecorded, type StoredExecution } from '../../shared/async-execution.ts'
import type { ProgramClaims, RetentionStore } from '../../shared/sweep-ports.ts'

export type RetentionWorld = {
  isNamed: (sha256: string) => boolean
  ended: () => StoredExecution[]
  remove: (id: string) => void
}

export function memoryProgramClaims({ isNamed }: Pick<RetentionWorld, 'isNamed'>): ProgramClaims {
  const claims = new Map<string, { holder: 'deploy' | 'sweep'; until: string }>()
  const isFree = (sha256: string, at: string) => !isNamed(sha256) && (claims.get(sha256)?.until ?? '') <= at
  return {
    async hold(sha256, { at, until }) {
      const known = claims.get(sha256)
      if (known?.holder === 'sweep' && known.until > at) return false
      claims.set(sha256, { holder: 'deploy', until: known && known.until > until ? known.until : until })
      return true
    },
    async claim(sha256s, { at, until }) {
      const free = [...new Set(sha256s)].filter((sha256) => isFree(sha256, at))
      for (const sha256 of free) claims.set(sha256, { holder: 'sweep', until })
      return free
    },
    unnamed: async (sha256s, { at }) => [...new Set(sha256s)].filter((sha256) => isFree(sha256, at)),
    async release(sha256s) {
      for (const sha256 of sha256s) if (claims.get(sha256)?.holder === 'sweep') claims.delete(sha256)
    },
  }
}

export function memoryRetention({ ended, remove }: Pick<RetentionWorld, 'ended' | 'remove'>): RetentionStore {
  let step: { cursor: string | null; dueAt: string } = { cursor: null, dueAt: '' }
  const old = ({ before, limit }: { before: string; limit: number }) =>
    ended()
      .filter(({ finishedAt }) => (finishedAt ?? '') < before)
      .slice(0, limit)
  const since = (from: string) => ended().filter(({ finishedAt }) => (finishedAt ?? '') >= from)
  return {
    async namedBundles(bundles, from) {
      const named = new Set(
        since(from)
          .filter(isRecorded)
          .flatMap(({ artifacts }) => artifacts.map((stored) => ('bundle' in stored ? stored.bundle : ''))),
      )
      return bundles.filter((bundle) => named.has(bundle))
    },
    async keptExecutions(ids, from) {
      const kept = new Set(since(from).map(({ id }) => id))
      return ids.filter((id) => kept.has(id))
    },
    countOld: async (of) => ({ executions: old(of).length, rejectedOutcomes: 0 }),
    async deleteOld(of) {
      const gone = old(of)
      for (const { id } of gone) remove(id)
      return { executions: gone.length, rejectedOutcomes: 0 }
    },
    async takeStep({ at, leaseUntil }) {
      if (step.dueAt > at) return undefined
      step = { ...step, dueAt: leaseUntil }
      return { cursor: step.cursor }
    },
    async endStep(next) {
      step = next
    },
  }
}
