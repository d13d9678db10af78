// Verdicts are written many at once, and late ones do not wait for ever.
import { expect, test } from 'vitest'
import { VerdictBatches } from '../../workers/flows/verdict-batches.ts'
import { idOf } from '../fakes/id-of.ts'

const usage = { fuel: 1, wallMicros: 1, memoryBytesPeak: 1 }
const judged = (count: number) => ({
  engine: 'e',
  verdicts: Array.from({ length: count }, () => ({
    caseId: idOf('case'),
    status: 'accepted' as const,
    usage,
    outputSha256: null,
    revision: 1,
  })),
})

function setUp() {
  const clock = { now: 0 }
  const sizes: number[] = []
  const batches = new VerdictBatches({ store: async ({ verdicts }) => void sizes.push(verdicts.length), now: () => clock.now })
  return { clock, sizes, batches }
}

test('63 wait, the 64th moves them', async () => {
  const { sizes, batches } = setUp()
  await batches.add(judged(63))
  expect(sizes).toEqual([])
  await batches.add(judged(1))
  expect(sizes).toEqual([64])
})

test('after half a second the next one moves them, not before', async () => {
  const { clock, sizes, batches } = setUp()
  await batches.add(judged(1))
  clock.now = 499
  await batches.add(judged(1))
  expect(sizes).toEqual([])
  clock.now = 500
  await batches.add(judged(1))
  clock.now = 999
  await batches.add(judged(1))
  expect(sizes).toEqual([3])
})

test('the end moves what is left, and nothing when nothing is left', async () => {
  const { sizes, batches } = setUp()
  await batches.add(judged(2))
  await batches.flush()
  await batches.flush()
  expect(sizes).toEqual([2])
})
