// What the sweep's ports promise, whatever holds the data.
import { randomBytes } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import type { ExecutionRecord } from '../../shared/execution.ts'
import { artifactKey } from '../../shared/execution.ts'
import type { AgentStore } from '../../shared/agent-ports.ts'
import type { AccountStore, ExecutionStore } from '../../shared/ports.ts'
import type { ProgramClaims, RetentionStore } from '../../shared/sweep-ports.ts'
import { idOf } from '../fakes/id-of.ts'
import { newKey } from '../fakes/new-key.ts'

export type RetentionStores = {
  accounts: AccountStore
  agents: AgentStore
  executions: ExecutionStore
  programClaims: ProgramClaims
  retention: RetentionStore
}

const hash = () => randomBytes(32).toString('hex')
const at = (second: number) => `2026-11-23T12:00:${String(second).padStart(2, '0')}.000Z`
/** Before anything that other tests on the same database make. */
const long = (second: number) => `1999-01-01T00:00:${String(second).padStart(2, '0')}.000Z`

export function retentionContract(name: string, open: () => RetentionStores): void {
  describe(`${name} keeps what the sweep relies on`, () => {
    let stores: RetentionStores
    let accountId: string
    beforeEach(async () => {
      stores = open()
      accountId = idOf('account')
      await stores.accounts.create({ id: accountId, name: `ada ${hash()}`, createdAt: at(0) }, newKey())
    })

    async function newAgent(sha256: string): Promise<string> {
      const id = idOf('agent')
      const times = { createdAt: at(0), updatedAt: at(0) }
      await stores.agents.create(
        { id, accountId, name: hash(), kind: 'script', scriptMode: 'interpreted', version: 1, sha256, bytes: 1, ...times },
        { engine: 'engine-1' },
      )
      return id
    }

    async function ended(finishedAt: string, artifacts: ExecutionRecord['artifacts'] = []): Promise<string> {
      const id = idOf('execution')
      const record: ExecutionRecord = {
        id,
        agentId: await newAgent(hash()),
        accountId,
        version: 1,
        tier: 'basic',
        seed: 0,
        startTime: at(0),
        program: { kind: 'script', sha256: hash() },
        status: 'completed',
        output: 'null',
        logs: { stdout: '"bundle":"forged/000000000001"', stderr: '', truncated: false },
        artifacts,
        usage: { fuel: 1, wallMicros: 1, memoryBytesPeak: 1, costMicroUsd: 0.003 },
        engine: 'engine-1',
        finishedAt,
        receipt: null,
      }
      await stores.executions.record([record])
      return id
    }

    test('a program that a version names, now or before, is nobody’s to delete', async () => {
      const [first, second, orphan] = [hash(), hash(), hash()]
      const agentId = await newAgent(first)
      await stores.agents.addVersion({
        agentId,
        sha256: second,
        bytes: 1,
        engine: 'engine-1',
        scriptMode: 'interpreted' as const,
        askedAt: at(1),
        at: at(1),
      })
      const { programClaims } = stores
      expect(await programClaims.unnamed([first, second, orphan, orphan], { at: at(1) })).toEqual([orphan])
      expect(await programClaims.claim([first, second, orphan, orphan], { at: at(1), until: at(2) })).toEqual([orphan])
    })

    test('what a deploy holds no sweep claims, until the hold ends; what a sweep claims no deploy holds, until it is released or ends', async () => {
      const { programClaims } = stores
      const sha256 = hash()
      expect(await programClaims.hold(sha256, { at: at(0), until: at(10) })).toBe(true)
      expect(await programClaims.hold(sha256, { at: at(1), until: at(5) })).toBe(true)
      expect(await programClaims.unnamed([sha256], { at: at(9) })).toEqual([])
      expect(await programClaims.claim([sha256], { at: at(9), until: at(20) })).toEqual([])
      expect(await programClaims.unnamed([sha256], { at: at(10) })).toEqual([sha256])
      expect(await programClaims.claim([sha256], { at: at(10), until: at(20) })).toEqual([sha256])
      expect(await programClaims.claim([sha256], { at: at(11), until: at(21) })).toEqual([])
      expect(await programClaims.hold(sha256, { at: at(19), until: at(30) })).toBe(false)
      expect(await programClaims.hold(sha256, { at: at(20), until: at(30) })).toBe(true)
      // Released by the sweep whose claim has ended: the hold stays.
      await programClaims.release([sha256])
      expect(await programClaims.claim([sha256], { at: at(29), until: at(40) })).toEqual([])
      expect(await programClaims.claim([sha256], { at: at(30), until: at(40) })).toEqual([sha256])
      await programClaims.release([sha256])
      expect(await programClaims.hold(sha256, { at: at(31), until: at(40) })).toBe(true)
    })

    test('of a deploy and sweeps at once one has its way', async () => {
      const { programClaims } = stores
      for (let round = 0; round < 10; round++) {
        const sha256 = hash()
        const [held, ...claimed] = await Promise.all([
          programClaims.hold(sha256, { at: at(0), until: at(10) }),
          programClaims.claim([sha256], { at: at(0), until: at(10) }),
          programClaims.claim([sha256], { at: at(0), until: at(10) }),
        ])
        expect((held ? 1 : 0) + claimed.flat().length).toBe(1)
      }
    })

    test('bundles and executions are named by what ended since then', async () => {
      const bundle = `host-${hash().slice(0, 8)}/000000000001`
      const other = `host-${hash().slice(0, 8)}/000000000002`
      const of = { name: 'a', bytes: 1, sha256: hash() }
      const id = await ended(at(5), [
        { ...of, object: artifactKey({ host: 'host-1', execution: idOf('execution'), position: 0 }) },
        { ...of, name: 'b', bundle, offset: 5 },
      ])
      expect(await stores.retention.namedBundles([bundle, other, bundle, 'forged/000000000001'], at(5))).toEqual(
        expect.arrayContaining([bundle]),
      )
      expect(await stores.retention.namedBundles([other, 'forged/000000000001'], at(5))).toEqual([])
      expect(await stores.retention.namedBundles([bundle], at(6))).toEqual([])
      expect(await stores.retention.keptExecutions([id, idOf('execution')], at(5))).toEqual([id])
      expect(await stores.retention.keptExecutions([id], at(6))).toEqual([])
    })

    test('rows that are old are counted, and deleted in steps, the oldest first', async () => {
      const ids = [await ended(long(1)), await ended(long(2)), await ended(long(3)), await ended(long(4))]
      const { retention, executions } = stores
      const old = { before: long(4), limit: 2 }
      expect((await retention.countOld({ ...old, limit: 10 })).executions).toBe(3)
      expect((await retention.deleteOld(old)).executions).toBe(2)
      expect(await executions.find(ids[0] ?? '')).toBeUndefined()
      expect(await executions.find(ids[2] ?? '')).toBeDefined()
      expect((await retention.deleteOld(old)).executions).toBe(1)
      expect((await retention.deleteOld(old)).executions).toBe(0)
      expect(await executions.find(ids[3] ?? '')).toBeDefined()
      expect((await retention.deleteOld({ before: long(5), limit: 9 })).executions).toBe(1)
    })

    test('a step is taken by one, and again when it was not ended', async () => {
      const { retention } = stores
      const far = (minute: number) => `2999-01-01T00:${String(minute).padStart(2, '0')}:00.000Z`
      await retention.endStep({ cursor: 'here', dueAt: far(0) })
      expect(await retention.takeStep({ at: '2998-12-31T23:59:59.999Z', leaseUntil: far(9) })).toBeUndefined()
      const taken = await Promise.all([1, 2, 3].map(() => retention.takeStep({ at: far(0), leaseUntil: far(5) })))
      expect(taken.filter(Boolean)).toEqual([{ cursor: 'here' }])
      expect(await retention.takeStep({ at: far(4), leaseUntil: far(9) })).toBeUndefined()
      expect(await retention.takeStep({ at: far(5), leaseUntil: far(9) })).toEqual({ cursor: 'here' })
      await retention.endStep({ cursor: null, dueAt: new Date().toISOString() })
    })
  })
}
