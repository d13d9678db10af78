// The life of an execution, with the real journal and a fake engine.
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ExecutionRecord, HostExecution } from '../../shared/execution.ts'
import { Journal } from '../../sandbox-host/journal.ts'
import { createLog } from '../../sandbox-host/log.ts'
import { Programs } from '../../sandbox-host/programs.ts'
import { keyOfSeed } from '../../sandbox-host/receipt-key.ts'
import { createRunner } from '../../sandbox-host/runner.ts'
import type { RunRequest } from '../../sandbox-host/sandbox-engine.ts'
import { createReceiptSigner } from '../../sandbox-host/sign-receipt.ts'
import { createFakeEngine } from '../fakes/fake-engine.ts'
import { idOf } from '../fakes/id-of.ts'

let directory: string
let journal: Journal
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bounty-runner-'))
  journal = await Journal.open({ directory, host: 'h', log: createLog('silent'), bytesMax: 1e9 })
})
afterEach(async () => {
  await journal.close().catch(() => {})
  rmSync(directory, { recursive: true })
})

function setUp() {
  const requests: RunRequest[] = []
  const seen = (request: RunRequest) => {
    requests.push(request)
    return {
      artifacts: [
        { name: 'a', bytes: Buffer.from('1') },
        { name: 'b', bytes: Buffer.from('22') },
      ],
    }
  }
  const engine = createFakeEngine({ behaviours: { program: seen } })
  const bucket = { get: async () => Buffer.from('program') }
  const metrics = { programs: () => {}, executed: () => {}, started: () => {} }
  const compileScript = async (code: Buffer) => ({ ok: true as const, code })
  const programs = new Programs({ engine, bucket, compileScript, bytesMax: 1e9, metrics })
  const signReceipt = createReceiptSigner(keyOfSeed('07'.repeat(32)))
  return {
    engine,
    requests,
    run: createRunner({ programs, engine, journal, tiers: ['basic', 'standard'], metrics, signReceipt, now: () => 1_000 }),
  }
}

const execution = (fields: Partial<HostExecution> = {}): HostExecution => ({
  id: idOf('execution'),
  agentId: idOf('agent'),
  accountId: idOf('account'),
  version: 1,
  tier: 'standard',
  seed: 5,
  startTime: '2001-02-03T04:05:06Z',
  program: { kind: 'script', sha256: createHash('sha256').update('program').digest('hex') },
  input: { a: 1 },
  ...fields,
})

test('the sandbox gets what was asked for, the record says it', async () => {
  const { run, requests } = setUp()
  const asked = execution()
  const record = JSON.parse((await run(asked)).toString()) as ExecutionRecord
  expect(requests[0]).toMatchObject({
    input: '{"a":1}',
    seed: 5,
    startTimeMs: Date.UTC(2001, 1, 3, 4, 5, 6),
    limits: { memoryBytes: 2 ** 28, wallMs: 15_000 },
  })
  const { input: _, ...said } = asked
  expect(record).toMatchObject({
    ...said,
    status: 'completed',
    output: '{"a":1}',
    finishedAt: '1970-01-01T00:00:01.000Z',
    engine: 'fake 1',
  })
  expect(record).not.toHaveProperty('input')
})

test('artifacts are where the record says', async () => {
  const { run } = setUp()
  const { artifacts } = JSON.parse((await run(execution())).toString()) as ExecutionRecord
  for (const [i, { bundle, offset, bytes }] of artifacts.entries()) {
    expect((await journal.backlog.readBundle(bundle, { offset, length: bytes }))?.toString()).toBe(['1', '22'][i])
  }
})

test('an absent input is null', async () => {
  const { run, requests } = setUp()
  await run(execution({ input: undefined }))
  expect(requests[0]?.input).toBe('null')
})

test('the same id in the same moment is one execution', async () => {
  const { run, engine } = setUp()
  const asked = execution()
  const [first, second] = await Promise.all([run(asked), run(asked)])
  expect(second).toEqual(first)
  expect(engine.runs).toBe(1)
})

test('an answer that could not be kept is no answer, and may be asked for again', async () => {
  const { run } = setUp()
  await journal.close()
  const asked = execution()
  await expect(run(asked)).rejects.toMatchObject({ code: 'draining' })
  await expect(run(asked)).rejects.toMatchObject({ code: 'draining' })
})
