// Where programs go: evenly, by weight, with the least movement when a host joins or leaves, and never onto one that has no room while another has.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { placementOrder, rendezvousOrder, roomPerThread, type Placeable } from '../../shared/placement.ts'

const idle = (id: string, more: Partial<Placeable> = {}): Placeable => ({ id, threads: 2, load: 0, ...more })
const fleet = (count: number) =>
  Array.from({ length: count }, (_, i) => idle(`fly-${(i * 2_654_435_761).toString(16).padStart(8, '0').slice(-8)}`))
const programs = Array.from({ length: 20_000 }, (_, i) => `${i}`.padStart(64, 'a7f3'))
const firstOf = (key: string, hosts: Placeable[]) => rendezvousOrder(key, hosts)[0]?.id ?? ''
const counts = (ids: string[]) => Map.groupBy(ids, (id) => id)

/** How far the most loaded lies above its share, in standard deviations of a fair draw. */
function worstSigma(ids: string[], shareOf: (id: string) => number): number {
  return Math.max(
    ...[...counts(ids)].map(([id, { length }]) => {
      const share = shareOf(id)
      return Math.abs(length - ids.length * share) / Math.sqrt(ids.length * share * (1 - share))
    }),
  )
}

describe('rendezvous', () => {
  test.each([2, 3, 10, 100])('%i hosts have the share of a fair draw each, as first and as second choice', (count) => {
    const hosts = fleet(count)
    const orders = programs.map((key) => rendezvousOrder(key, hosts).map(({ id }) => id))
    for (const choice of [0, 1]) {
      const chosen = orders.map((order) => order[choice] ?? '')
      expect(counts(chosen).size).toBe(count)
      expect(worstSigma(chosen, () => 1 / count)).toBeLessThan(4.5)
    }
  })

  test('a host with more threads has more, in proportion', () => {
    const hosts = [idle('a', { threads: 1 }), idle('b', { threads: 2 }), idle('c', { threads: 5 })]
    const chosen = programs.map((key) => firstOf(key, hosts))
    expect(worstSigma(chosen, (id) => (hosts.find((host) => host.id === id)?.threads ?? 0) / 8)).toBeLessThan(4)
  })

  test('what a lost host had is spread over all others', () => {
    const [lost, ...rest] = fleet(10)
    const moved = programs.filter((key) => firstOf(key, [...(lost ? [lost] : []), ...rest]) === lost?.id)
    expect(
      worstSigma(
        moved.map((key) => firstOf(key, rest)),
        () => 1 / 9,
      ),
    ).toBeLessThan(4)
  })

  test('a host that leaves moves its own programs alone, each to its second choice; one that joins takes only for itself', () => {
    const anyFleet = fc.uniqueArray(fc.record({ id: fc.stringMatching(/^[a-z0-9-]{1,20}$/), threads: fc.integer({ min: 1, max: 64 }) }), {
      minLength: 2,
      maxLength: 20,
      selector: ({ id }) => id,
    })
    fc.assert(
      fc.property(anyFleet, fc.nat(), fc.string(), (hosts, n, key) => {
        const leaver = hosts[n % hosts.length]
        const order = rendezvousOrder(key, hosts)
        const without = rendezvousOrder(
          key,
          hosts.filter((host) => host !== leaver),
        )
        expect(without).toEqual(order.filter((host) => host !== leaver))
      }),
    )
  })

  test('the order is of the hosts, not of the list that they came in', () => {
    const hosts = fleet(7)
    for (const key of programs.slice(0, 50)) expect(rendezvousOrder(key, hosts.toReversed())).toEqual(rendezvousOrder(key, hosts))
  })

  test('the order is the same in every version: another one would make every host cold at once', () => {
    const hosts = ['fly-0000aaaa', 'fly-1111bbbb', 'fly-2222cccc', 'fly-3333dddd'].map((id) => idle(id))
    expect(['a', 'b', 'c', 'd', 'e', 'f'].map((key) => firstOf(key.repeat(64), hosts).slice(-4)).join(' ')).toMatchInlineSnapshot(
      `"dddd dddd aaaa dddd cccc cccc"`,
    )
  })
})

describe('placement', () => {
  const hosts = fleet(4)
  const key = programs[0] ?? ''
  const [first, second] = rendezvousOrder(key, hosts)
  const withLoad = (loads: Record<string, number>) => hosts.map((host) => ({ ...host, load: loads[host.id] ?? 0 }))
  const placed = (loads: Record<string, number>) => placementOrder(key, withLoad(loads)).map(({ id }) => id)
  if (!first || !second) throw new Error('four hosts have an order')
  const room = roomPerThread * first.threads

  test('a program stays on its host up to the room of that, and goes to the second beyond', () => {
    expect(placed({ [first.id]: room - 1 })[0]).toBe(first.id)
    expect(placed({ [first.id]: room })[0]).toBe(second.id)
    expect(placed({ [first.id]: room, [second.id]: room })[0]).not.toBe(second.id)
  })

  test('nobody is left out: who has no room comes last', () => {
    expect(placed({ [first.id]: room }).at(-1)).toBe(first.id)
    expect(placed({ [first.id]: room }).toSorted()).toEqual(hosts.map(({ id }) => id).toSorted())
  })

  test('when all are busy the usual load is the measure, and the program goes home again', () => {
    const busy = Object.fromEntries(hosts.map(({ id }) => [id, 10 * room]))
    expect(placed(busy)[0]).toBe(first.id)
    expect(placed({ ...busy, [first.id]: 20 * room })[0]).toBe(second.id)
  })

  test('there is always one with room, and none gets more than its bound while the load is placed one by one', () => {
    const arrivals = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 400 })
    fc.assert(
      fc.property(arrivals, fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 8 }), (keys, threads) => {
        const loaded = threads.map((of, i) => idle(`h${i}`, { threads: of }))
        for (const [n, program] of keys.entries()) {
          const [chosen] = placementOrder(String(program), loaded)
          if (!chosen) throw new Error('there is a host')
          const perThread = Math.max(roomPerThread, (1.25 * n) / threads.reduce((a, b) => a + b))
          expect(chosen.load).toBeLessThan(perThread * chosen.threads)
          chosen.load++
        }
      }),
    )
  })

  test('one host, or none, is an order, too', () => {
    expect(placementOrder(key, [])).toEqual([])
    expect(placementOrder(key, [idle('only', { load: 1e6 })])).toHaveLength(1)
  })
})
