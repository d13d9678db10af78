import { expect, test } from 'vitest'
import { guaranteeNames, type Guarantees } from '../../bench/contender.ts'
import { bestPeer, givesSame, timesBest, type Ranked } from '../../bench/peer-standing.ts'
import { peerKinds } from '../../bench/peers/peer-list.ts'

const guarantees = (missing: string[] = []) =>
  Object.fromEntries(guaranteeNames.map((name) => [name, { holds: !missing.includes(name), how: '' }])) as Guarantees
const ranked = (name: string, samples: number[], missing: string[] = []): Ranked => ({
  name,
  isOurs: name === 'ours',
  guarantees: guarantees(missing),
  samples,
})

test('the same guarantees are those of a sandbox for strangers; determinism and durability are beyond them', () => {
  expect(givesSame(guarantees(['determinism', 'durable result']))).toBe(true)
  for (const name of ['memory limit', 'CPU limit', 'isolation between runs']) expect(givesSame(guarantees([name]))).toBe(false)
})

test('the best peer is the one with the highest median, never ours, and among the like only those', () => {
  const all = [
    ranked('ours', [900, 900, 900]),
    ranked('fast', [500, 500, 500], ['CPU limit']),
    ranked('lucky', [10, 10, 1_000]),
    ranked('steady', [20, 20, 20]),
    ranked('absent', []),
  ]
  expect(bestPeer(all, 'all')?.name).toBe('fast')
  expect(bestPeer(all, 'same guarantees')?.name).toBe('steady')
  expect(bestPeer([ranked('ours', [1])], 'all')).toBeUndefined()
})

test('times the best: ratio of medians; infinite when the best got nothing done, unknown when there is none', () => {
  const ours = ranked('ours', [300, 310, 290])
  expect(timesBest(ours, ranked('peer', [100, 100, 100]))).toMatchObject({ value: 3, low: 2.9, high: 3.1 })
  expect(timesBest(ours, ranked('peer', [0, 0, 0])).value).toBe(Infinity)
  expect(timesBest(ours, undefined).value).toBeNaN()
})

test('every peer says of each guarantee how, and says its exact version', () => {
  for (const { name, version, guarantees: given } of peerKinds) {
    expect([name, version()]).toEqual([name, expect.stringMatching(/^\d+\.\d+\.\d+$/)])
    expect([name, ...guaranteeNames.filter((each) => given[each].how === '')]).toEqual([name])
  }
})
