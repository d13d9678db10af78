import fc from 'fast-check'
import { expect, test } from 'vitest'
import { OffsetLedger } from '../../sandbox-host/offset-ledger.ts'

const mark = (offset: bigint, partition = 0) => ({ topic: 't', partition, offset, leaderEpoch: 0 })
const due = (ledger: OffsetLedger) => ledger.due(() => true).map(({ partition, offset }) => [partition, offset])

test('a commit speaks for everything before it: it waits for the first that is not done', () => {
  const ledger = new OffsetLedger()
  for (const offset of [5n, 6n, 7n]) ledger.begin(mark(offset))
  ledger.end(mark(6n))
  ledger.end(mark(7n))
  expect(due(ledger)).toEqual([[0, 5n]])
  ledger.end(mark(5n))
  expect(due(ledger)).toEqual([[0, 8n]])
  ledger.committed(ledger.due(() => true))
  expect(due(ledger)).toEqual([])
})

test('partitions are counted apart, and only those that are asked for are told', () => {
  const ledger = new OffsetLedger()
  for (const partition of [0, 1]) ledger.begin(mark(3n, partition))
  ledger.end(mark(3n, 1))
  expect(due(ledger)).toEqual([
    [0, 3n],
    [1, 4n],
  ])
  expect(ledger.due((key) => key === 't:1').map(({ offset }) => offset)).toEqual([4n])
})

test('what is under way or done is not begun again; offsets may have gaps', () => {
  const ledger = new OffsetLedger()
  expect([1n, 4n].map((offset) => ledger.begin(mark(offset)))).toEqual([true, true])
  ledger.end(mark(1n))
  expect([1n, 4n, 9n].map((offset) => ledger.begin(mark(offset)))).toEqual([false, false, true])
})

test('whatever ends in whatever order, with the stream beginning again in between: nothing unfinished is ever committed', () => {
  const step = fc.oneof(
    fc.record({ end: fc.nat(30) }),
    fc.record({ rewind: fc.nat(5) }),
    fc.record({ begin: fc.integer({ min: 1, max: 4 }) }),
    fc.constant({ commit: true as const }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const ledger = new OffsetLedger()
      const done = new Set<bigint>()
      const underWay: bigint[] = []
      let committed = 0n
      let at = 0n
      for (const one of steps) {
        if ('begin' in one) {
          for (let count = 0; count < one.begin; count++, at++) if (ledger.begin(mark(at))) underWay.push(at)
        } else if ('end' in one) {
          const [offset] = underWay.splice(one.end % Math.max(underWay.length, 1), 1)
          if (offset === undefined) continue
          expect(done.has(offset)).toBe(false)
          done.add(offset)
          ledger.end(mark(offset))
          // The group is divided anew: the stream begins at the last commit.
        } else if ('rewind' in one) at = committed
        else {
          const [next] = ledger.due(() => true)
          if (next === undefined) continue
          for (let offset = 0n; offset < next.offset; offset++) expect(done.has(offset)).toBe(true)
          expect(next.offset).toBeGreaterThanOrEqual(committed)
          committed = next.offset
          ledger.committed([next])
        }
      }
      // All that was begun is committed in the end.
      for (const offset of underWay) {
        ledger.end(mark(offset))
        done.add(offset)
      }
      const [last] = ledger.due(() => true)
      if (last !== undefined) committed = last.offset
      expect(committed).toBe(BigInt(done.size))
    }),
  )
})
