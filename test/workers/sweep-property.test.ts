// Deploys, sweeps and time in any order, interleaved at every await on the bucket, the claims and the rows, each of them possibly the last of its
// process: no bytes that an agent names are ever deleted, and what nobody names goes in the end.
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deployAgent } from '../../workers/flows/deploy-agent.ts'
import { claimMs, marginMs, sweepStep } from '../../workers/flows/sweep-storage.ts'
import { firstAttempt } from '../../workers/idempotency.ts'
import { FilePart } from '../../workers/multipart.ts'
import type { Services } from '../../workers/services.ts'
import { testEdge } from '../fakes/test-edge.ts'

/** As they are uploaded: hashed beforehand, so that the scheduler alone says when a deploy goes on. */
const programOf = (text: string) => new FilePart(new Uint8Array(Buffer.from(text)), createHash('sha256').update(text).digest('hex'))
const good = programOf('// good')
/** Cannot be prepared: its bytes are always left over. */
const broken = programOf('// broken')

type Step =
  | { kind: 'deploy'; source: FilePart; diesAt: number | null }
  | { kind: 'sweep'; dryRun: boolean; diesAt: number | null }
  | { kind: 'wait'; ms: number }

const diesAt = fc.option(fc.nat(6), { nil: null, freq: 2 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('deploy' as const), source: fc.constantFrom(good, broken), diesAt }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('sweep' as const), dryRun: fc.boolean(), diesAt }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, claimMs, marginMs + 1) }) },
)

/** The same services, for a process that goes on when the scheduler lets it, and dies at its n-th call. */
function inProcess(services: Services, { s, dies }: { s: fc.Scheduler; dies: number | null }): Services {
  let calls = 0
  const gated = <T extends object>(store: T, name: string): T =>
    new Proxy(store, {
      get(target, property) {
        const method: unknown = Reflect.get(target, property)
        if (typeof method !== 'function') return method
        return async (...given: unknown[]) => {
          if (calls++ === dies) throw new Error('the process died')
          await s.schedule(Promise.resolve(), `${name}.${String(property)}`)
          return Reflect.apply(method, target, given) as unknown
        }
      },
    })
  return {
    ...services,
    artifacts: gated(services.artifacts, 'artifacts'),
    programClaims: gated(services.programClaims, 'claims'),
    agents: gated(services.agents, 'agents'),
    retention: gated(services.retention, 'retention'),
  }
}

test('no program that an agent names is ever deleted, and in the end nothing is left over', async () => {
  const rounds = fc.array(fc.array(step, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), rounds, async (s, plan) => {
      const edge = testEdge()
      const { id: accountId } = await edge.account('ada')
      edge.sandbox.programs.set('// good', (input) => ({ output: input }))
      // What a deploy that died long ago has left.
      for (const { sha256, bytes } of [good, broken]) await edge.artifacts.putProgram(sha256, bytes)
      edge.clock.now += marginMs + 1
      const named = new Set<string>()
      const missing = () => [...named].filter((sha256) => !edge.artifacts.programs.has(sha256))
      let made = 0

      async function deploy(source: FilePart, services: Services): Promise<void> {
        const agent = { name: `agent-${made++}`, kind: 'script' as const, source }
        named.add((await deployAgent(services, { accountId, agent, attempt: firstAttempt(() => edge.clock.now) })).sha256)
      }
      async function sweep(dryRun: boolean, services: Services): Promise<void> {
        for (let cursor: string | null | undefined; cursor !== null;) {
          cursor = (await sweepStep(services, { dryRun, cursor })).nextCursor
        }
      }

      // Those of a round run at once; time passes between rounds, so that no process is held up for longer than its claim.
      for (const round of plan) {
        const running = round.map(async (now) => {
          if (now.kind === 'wait') return
          const services = inProcess(edge.services, { s, dies: now.diesAt })
          await (now.kind === 'deploy' ? deploy(now.source, services) : sweep(now.dryRun, services)).catch(() => {})
        })
        await s.waitFor(Promise.all(running))
        for (const now of round) if (now.kind === 'wait') edge.clock.now += now.ms
        expect(missing()).toEqual([])
      }
      for (let i = 0; i < 2; i++) {
        edge.clock.now += marginMs + claimMs
        await sweep(false, edge.services)
      }
      expect(missing()).toEqual([])
      expect([...edge.artifacts.programs.keys()].filter((sha256) => !named.has(sha256))).toEqual([])
    }),
    { numRuns: 300 },
  )
})
