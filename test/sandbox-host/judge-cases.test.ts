// Which cases are begun, when there is a time after which none is.
import { expect, test } from 'vitest'
import { idOf } from '../fakes/id-of.ts'
import { judgeCases } from '../../sandbox-host/judge-cases.ts'

const usage = { fuel: 1, wallMicros: 1, memoryBytesPeak: 1 }
const cases = Array.from({ length: 4 }, () => ({ id: idOf('case'), input: 1, expected: 1, salt: '0'.repeat(32), hidden: false }))

test('what has not begun by then is not run; what has begun is', async () => {
  const told: string[] = []
  const notRun = await judgeCases({
    cases,
    parallel: 2,
    stopAtFirstFailure: false,
    beginMsMax: 20,
    caller: new AbortController().signal,
    async judge({ id }) {
      await new Promise((resolve) => setTimeout(resolve, 200))
      return { caseId: id, status: 'accepted', usage, outputSha256: null }
    },
    tell: ({ caseId }) => told.push(caseId),
  })
  const ids = cases.map(({ id }) => id)
  expect([told, notRun]).toEqual([ids.slice(0, 2), ids.slice(2)])
})
