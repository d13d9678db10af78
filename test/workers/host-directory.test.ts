// What an isolate knows of the hosts: from the rows, from answers, and from what did not come.
import { beforeEach, expect, test } from 'vitest'
import { ProblemError } from '../../shared/problem.ts'
import type { HeardHost } from '../../shared/host-ports.ts'
import { HostDirectory } from '../../workers/host-directory.ts'

let now: number
let rows: HeardHost[]
let reads: number
let failure: Error | undefined
let slow: Promise<void> | undefined
let behind: Promise<unknown>[]
let directory: HostDirectory
const host = (more: Partial<HeardHost> = {}): HeardHost => {
  return { id: 'a', instance: 'm-a', state: 'up', tiers: ['basic'], threads: 2, load: 0, heardMs: 100, ...more }
}
beforeEach(() => {
  now = 1_000_000
  rows = [host(), host({ id: 'b', instance: 'm-b' })]
  reads = 0
  failure = undefined
  slow = undefined
  behind = []
  directory = new HostDirectory({
    store: {
      async list() {
        reads++
        const read = rows
        await slow
        if (failure) throw failure
        return read
      },
    },
    now: () => now,
    later: (work) => behind.push(work),
  })
})
const takers = async () => (await directory.takers()).map(({ id }) => id)
const one = async (id = 'a') => {
  const found = (await directory.takers()).find((taker) => taker.id === id)
  if (!found) throw new Error(`${id} takes no work`)
  return found
}

test('the first question reads the rows, the others go on with what is known', async () => {
  for (let i = 0; i < 5; i++) expect(await takers()).toEqual(['a', 'b'])
  expect(reads).toBe(1)
})

test('requests that come to a new isolate at once all wait for the rows', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  slow = promise
  const all = Promise.all([takers(), takers(), takers()])
  resolve()
  expect(await all).toEqual([1, 2, 3].map(() => ['a', 'b']))
  expect(reads).toBe(1)
})

test('after two seconds they are read again, behind the answer and once', async () => {
  await takers()
  now += 2_000
  rows = [host()]
  const { promise, resolve } = Promise.withResolvers<void>()
  slow = promise
  expect(await takers()).toEqual(['a', 'b'])
  expect(await takers()).toEqual(['a', 'b'])
  expect([reads, behind.length]).toEqual([2, 1])
  resolve()
  await Promise.all(behind)
  expect(await takers()).toEqual(['a'])
})

test('after half a minute without requests they are read first', async () => {
  await takers()
  now += 30_000
  rows = [host({ id: 'c' })]
  expect(await takers()).toEqual(['c'])
  expect(behind).toEqual([])
})

test('who was not heard of for three beats, or has left, takes nothing; who drains is asked last', async () => {
  rows = [
    host({ heardMs: 14_999 }),
    host({ id: 'b', heardMs: 15_000 }),
    host({ id: 'c', state: 'left' }),
    host({ id: 'd', state: 'draining' }),
  ]
  expect((await directory.takers()).map(({ id, isDoubted }) => [id, isDoubted])).toEqual([
    ['a', false],
    ['d', true],
  ])
  expect((await directory.holders()).map(({ id }) => id)).toEqual(['a', 'b', 'd'])
})

test('who rests takes work however long ago it said so, and is asked for what it holds; a loss is remembered for as long as of others', async () => {
  rows = [host({ state: 'resting', heardMs: 3_600_000 }), host({ id: 'b' })]
  expect(await takers()).toEqual(['a', 'b'])
  expect((await directory.holders()).map(({ id }) => id)).toEqual(['a', 'b'])
  directory.doubt('a')
  expect((await one()).isDoubted).toBe(true)
  now += 5_000
  expect((await one()).isDoubted).toBe(false)
})

test('with nobody to turn to every question reads, a few times a second', async () => {
  rows = []
  expect(await takers()).toEqual([])
  expect(await takers()).toEqual([])
  expect(reads).toBe(1)
  now += 250
  rows = [host()]
  expect(await takers()).toEqual(['a'])
})

test('a database that is away: what is known goes on, however old; knowing nothing is its error', async () => {
  failure = new ProblemError('database-unavailable', { detail: 'down' })
  await expect(directory.takers()).rejects.toMatchObject({ code: 'database-unavailable' })
  failure = undefined
  now += 250
  await takers()
  failure = new ProblemError('database-unavailable', { detail: 'down' })
  for (let i = 0; i < 3; i++) {
    now += 60_000
    expect(await takers()).toEqual(['a', 'b'])
  }
  await Promise.allSettled(behind)
})

test('the load is what the last answer said, and what was begun and has ended here since', async () => {
  rows = [host({ load: 3 })]
  expect((await one()).load).toBe(3)
  now += 10
  const ends = [directory.begin('a'), directory.begin('a')]
  // A row does not know of them.
  expect((await one()).load).toBe(3)
  directory.told('a', 7)
  expect((await one()).load).toBe(7)
  ends.push(directory.begin('a'))
  expect((await one()).load).toBe(8)
  for (const end of ends) end()
  expect((await one()).load).toBe(5)
})

test('what an answer said is forgotten after two seconds, or with a later beat; never what is under way', async () => {
  await takers()
  now += 10
  const end = directory.begin('a')
  directory.told('a', 40)
  expect((await one()).load).toBe(40)
  now += 2_000
  expect((await one()).load).toBe(1)
  end()
  expect((await one()).load).toBe(0)
})

test('a host in doubt is asked last for five seconds, or until it is heard of again', async () => {
  await takers()
  now += 10
  directory.doubt('a')
  expect((await one()).isDoubted).toBe(true)
  now += 4_000
  rows = [host({ heardMs: 4_500 })]
  await takers()
  await Promise.all(behind)
  expect((await one()).isDoubted).toBe(true)
  now += 1_000
  expect((await one()).isDoubted).toBe(false)

  directory.doubt('a')
  now += 2_000
  rows = [host({ heardMs: 100 })]
  await takers()
  await Promise.all(behind)
  expect((await one()).isDoubted).toBe(false)
})

test('what may be wrong is read again first, not more than every two seconds', async () => {
  await takers()
  rows = [host({ id: 'c' })]
  directory.expire()
  expect(await takers()).toEqual(['a', 'b'])
  now += 2_000
  expect(await takers()).toEqual(['c'])
  expect(behind).toEqual([])
})
