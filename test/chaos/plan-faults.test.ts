import { expect, test } from 'vitest'
import { linkNames } from '../../local/stack.ts'
import { partNames, planFaults } from './plan-faults.ts'

const plan = planFaults({ seed: 3, kills: 110, seconds: 330 })
const kills = plan.filter(({ fault }) => fault.kind === 'kill')

test('the same seed plans the same faults, another one others', () => {
  expect(planFaults({ seed: 3, kills: 110, seconds: 330 })).toEqual(plan)
  expect(planFaults({ seed: 4, kills: 110, seconds: 330 })).not.toEqual(plan)
})

test('there are as many kills as asked for, and each part has its share', () => {
  expect(kills).toHaveLength(110)
  const shares = partNames.map((part) => kills.filter(({ fault }) => 'part' in fault && fault.part === part).length)
  expect(Object.fromEntries(partNames.map((part, i) => [part, shares[i]]))).toEqual({
    host: 30,
    edge: 10,
    workerd: 10,
    postgres: 20,
    redis: 10,
    'neon-http': 20,
    'upstash-rest': 10,
  })
})

test('every kind of fault comes, and every link suffers', () => {
  const kinds = plan.map(({ fault }) => fault.kind)
  expect(new Set(kinds)).toEqual(new Set(['kill', 'freeze', 'slow', 'half-open', 'lose-answers', 'full-disk']))
  const links = plan.flatMap(({ fault }) => ('link' in fault ? [fault.link] : []))
  expect(new Set(links)).toEqual(new Set(linkNames))
})

test('faults begin in order and within the storm', () => {
  const times = plan.map(({ atMs }) => atMs)
  expect(times).toEqual(times.toSorted((a, b) => a - b))
  expect(times[0]).toBeGreaterThanOrEqual(0)
  expect(times.at(-1)).toBeLessThanOrEqual(330_000)
})
