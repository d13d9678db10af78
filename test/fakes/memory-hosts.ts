// The sandbox hosts over a map.
import type { HostBeat } from '../../shared/host.ts'
import type { HostStore } from '../../shared/host-ports.ts'

export function memoryHostStore(now: () => number = Date.now): HostStore {
  const heard = new Map<string, { beat: HostBeat; at: number }>()
  return {
    async beat(beat) {
      const known = heard.get(beat.host)
      const isOld = known && Date.parse(beat.at) <= Date.parse(known.beat.at) && now() - known.at < 180_000
      if (!isOld) heard.set(beat.host, { beat, at: now() })
    },
    list: async ({ heardMsMax, restingMsMax, limit }) =>
      [...heard.values()]
        .map(({ beat: { host, instance, state, tiers, threads, load }, at }) => {
          return { id: host, instance, state, tiers, threads, load, heardMs: now() - at }
        })
        .filter(({ state, heardMs }) => heardMs <= (state === 'resting' ? restingMsMax : heardMsMax))
        .toSorted((a, b) => a.heardMs - b.heardMs || (a.id < b.id ? -1 : 1))
        .slice(0, limit),
  }
}
