import { expect, test } from 'vitest'
import { signatureWindowMs } from '../../shared/signing.ts'
import { linkNames } from '../../local/stack.ts'
import { partNames, planFaults } from './plan-faults.ts'

const asked = { seed: 3, kills: 110, seconds: 330, settleSeconds: 300, eventLog: 'queues' } as const
const plan = planFaults(asked)
const kills = plan.filter(({ fault }) => fault.kind === 'kill')

test('the same seed plans the same faults, another one others', () => {
  expect(planFaults(asked)).toEqual(plan)
  expect(planFaults({ ...asked, seed: 4 })).not.toEqual(plan)
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
  expect(new Set(kinds)).toEqual(new Set(['kill', 'freeze', 'slow', 'half-open', 'lose-answers', 'full-disk', 'jump-clock', 'redeliver']))
  const links = plan.flatMap(({ fault }) => ('link' in fault ? [fault.link] : []))
  expect(new Set(links)).toEqual(new Set(linkNames))
})

test('clocks jump forth and back by more than a signature may be old, that of the edge ahead only where there is time to settle', () => {
  const jumpsOf = (settleSeconds: number) =>
    planFaults({ ...asked, settleSeconds }).flatMap(({ fault }) => (fault.kind === 'jump-clock' ? [fault] : []))
  for (const { byMs } of jumpsOf(300)) expect(Math.abs(byMs)).toBeGreaterThan(signatureWindowMs)
  const waysOf = (settleSeconds: number) => new Set(jumpsOf(settleSeconds).map(({ part, byMs }) => `${part} ${Math.sign(byMs)}`))
  expect(waysOf(300)).toEqual(new Set(['host 1', 'host -1', 'edge 1', 'edge -1']))
  expect(waysOf(299)).toEqual(new Set(['host 1', 'host -1', 'edge -1']))
})

test('a storm over Kafka kills and freezes its broker and its gateway, too; one over queues does not', () => {
  const hitIn = (eventLog: 'queues' | 'kafka') =>
    new Set(planFaults({ ...asked, eventLog }).flatMap(({ fault }) => ('part' in fault ? [`${fault.kind} ${fault.part}`] : [])))
  expect([...hitIn('kafka')]).toEqual(expect.arrayContaining(['kill kafka', 'kill kafka-gateway', 'freeze kafka', 'freeze kafka-gateway']))
  expect([...hitIn('queues')].filter((hit) => hit.includes('kafka'))).toEqual([])
})

test('faults begin in order and within the storm', () => {
  const times = plan.map(({ atMs }) => atMs)
  expect(times).toEqual(times.toSorted((a, b) => a - b))
  expect(times[0]).toBeGreaterThanOrEqual(0)
  expect(times.at(-1)).toBeLessThanOrEqual(330_000)
})
