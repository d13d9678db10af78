// What the store of sandbox hosts promises.
import { afterAll, describe, expect, test } from 'vitest'
import type { HostBeat } from '../../shared/host.ts'
import type { HostStore } from '../../shared/host-ports.ts'
import { beatOf } from '../fakes/beat-of.ts'

const second = (n: number) => new Date(Date.parse('2026-11-23T12:00:00Z') + n * 1_000).toISOString()
const minute = 60_000

export function hostsContract(name: string, openStore: () => HostStore): void {
  describe(`${name} knows the hosts`, () => {
    const beaten: HostBeat[] = []
    function open(): HostStore {
      const store = openStore()
      return { ...store, beat: (beat) => (beaten.push(beat), store.beat(beat)) }
    }
    // Nobody places work on them afterwards.
    afterAll(async () => {
      for (const beat of beaten) await openStore().beat({ ...beat, state: 'left', at: second(60) })
    })

    const heardOf = async (store: HostStore, id: string) =>
      (await store.list({ heardMsMax: minute, restingMsMax: minute, limit: 1_000 })).find((host) => host.id === id)

    test('a host is as it last said', async () => {
      const store = open()
      const beat = beatOf()
      await store.beat(beat)
      const { host: id, instance, state, tiers, threads, load } = beat
      const said = { id, instance, state, tiers, threads, load, heardMs: expect.any(Number) }
      expect(await heardOf(store, id)).toEqual(said)
      await store.beat({ ...beat, instance: 'other', state: 'draining', tiers: ['basic'], threads: 1, load: 0, at: second(1) })
      expect(await heardOf(store, id)).toEqual({ ...said, instance: 'other', state: 'draining', tiers: ['basic'], threads: 1, load: 0 })
    })

    test('a beat that comes again, or late, changes nothing', async () => {
      const store = open()
      const [up, left] = [beatOf({ at: second(1) }), 'left' as const]
      await store.beat(up)
      await store.beat({ ...up, state: left, at: second(2) })
      await store.beat({ ...up, at: second(2) })
      await store.beat(up)
      expect(await heardOf(store, up.host)).toMatchObject({ state: left })
      await store.beat({ ...up, at: second(3) })
      expect(await heardOf(store, up.host)).toMatchObject({ state: 'up' })
    })

    test('beats at the same time leave the last one', async () => {
      const store = open()
      const beat = beatOf()
      await Promise.all(Array.from({ length: 8 }, (_, i) => store.beat({ ...beat, load: i, at: second(i) })))
      expect(await heardOf(store, beat.host)).toMatchObject({ load: 7 })
    })

    test('who was not heard of for long is left out, and the list is bounded', async () => {
      const store = open()
      const [old, young] = [beatOf(), beatOf()]
      await store.beat(old)
      await new Promise((resolve) => setTimeout(resolve, 60))
      await store.beat(young)
      const ids = (await store.list({ heardMsMax: 50, restingMsMax: 50, limit: 1_000 })).map(({ id }) => id)
      expect(ids).toContain(young.host)
      expect(ids).not.toContain(old.host)
      await store.beat({ ...old, state: 'resting', at: second(1) })
      await new Promise((resolve) => setTimeout(resolve, 60))
      const resting = (await store.list({ heardMsMax: 50, restingMsMax: minute, limit: 1_000 })).map(({ id }) => id)
      expect(resting).toContain(old.host)
      expect(resting).not.toContain(young.host)
      expect(await store.list({ heardMsMax: minute, restingMsMax: minute, limit: 1 })).toHaveLength(1)
    })
  })
}
