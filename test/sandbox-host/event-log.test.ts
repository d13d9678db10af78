// What the host does with messages of the event log, without a broker: what it refuses, how many it works on, and how it claims executions.
// test/kafka/ has the same over a real one.
import { describe, expect, test, vi } from 'vitest'
import { createClaimedRuns } from '../../sandbox-host/claimed-runs.ts'
import { createLog } from '../../sandbox-host/log.ts'
import { createMessageCheck, MessageRefused } from '../../sandbox-host/message-check.ts'
import { Places } from '../../sandbox-host/places.ts'
import type { Runner } from '../../sandbox-host/runner.ts'
import { claimRenewMs } from '../../shared/execution-claim.ts'
import { messageAgeMsMax, messageAheadMsMax, messageBytesMax } from '../../shared/event-log.ts'
import { ProblemError } from '../../shared/problem.ts'
import { publishMethod, signatureHeader } from '../../shared/signing.ts'
import { createSigner } from '../../workers/signature.ts'
import { idOf } from '../fakes/id-of.ts'

const secret = 'a secret of more than thirty-two characters'
const log = createLog('silent')
const now = 1_800_000_000_000
const judging = { topic: 'judgings', submissionId: idOf('submission'), turn: 1 } as const

async function message(
  content: unknown,
  { at = now, topic = 'judgings', signedFor = topic }: { at?: number; topic?: string; signedFor?: string } = {},
) {
  const value = Buffer.from(typeof content === 'string' ? content : JSON.stringify(content))
  const headers = await createSigner({ secret, now: () => at })({
    audience: 'event-log',
    method: publishMethod,
    path: signedFor,
    body: value,
  })
  return { topic, value, header: (name: string) => headers[name] }
}

describe('a message', () => {
  const check = createMessageCheck({ secret, now: () => now })
  const refusal = async (given: Awaited<ReturnType<typeof message>>) => {
    try {
      check(given)
    } catch (error) {
      return error instanceof MessageRefused ? error.refusal : error
    }
  }

  test('of ours is taken, up to the age at which it says nothing any more', async () => {
    for (const at of [now, now - messageAgeMsMax, now + messageAheadMsMax]) {
      expect(check(await message({ message: judging, notBefore: 5 }, { at }))).toEqual({ message: judging, notBefore: 5 })
    }
    for (const at of [now - messageAgeMsMax - 1, now + messageAheadMsMax + 1]) {
      expect(await refusal(await message({ message: judging }, { at }))).toBe('stale')
    }
  })

  test('on topics with a prefix is signed for that name', async () => {
    const topic = 'bounty.judgings'
    expect(check(await message({ message: judging }, { topic }))).toEqual({ message: judging })
    expect(await refusal(await message({ message: judging }, { topic, signedFor: 'judgings' }))).toBe('forged')
  })

  test('that was changed, or is not signed, is forged', async () => {
    const good = await message({ message: judging })
    expect(await refusal({ ...good, value: Buffer.from(JSON.stringify({ message: { ...judging, turn: 2 } })) })).toBe('forged')
    expect(await refusal({ ...good, header: () => undefined })).toBe('forged')
    expect(await refusal({ ...good, header: () => 't=1,n=2,s=3' })).toBe('forged')
    expect(await refusal({ ...good, header: (name) => good.header(name)?.replace(/^t=\d+/, `t=${now + 1}`) })).toBe('forged')
    expect(good.header(signatureHeader)).toMatch(/^t=/)
  })

  test.each([
    ['no JSON', 'no JSON'],
    ['another form', { message: { ...judging, haste: true } }],
    ['no message', {}],
    ['a turn that cannot be', { message: { ...judging, turn: 0 } }],
    ['a time that cannot be', { message: judging, notBefore: -1 }],
    ['one of another topic', { message: { topic: 'executions', executionId: idOf('execution'), turn: 1 } }],
  ])('with %s is malformed', async (_name, content) => {
    expect(await refusal(await message(content))).toBe('malformed')
  })

  test('of 64 KiB is looked at, and none larger', async () => {
    expect(await refusal(await message('x'.repeat(messageBytesMax)))).toBe('malformed')
    expect(await refusal(await message('x'.repeat(messageBytesMax + 1)))).toBe('too-large')
  })
})

describe('places', () => {
  test('are held by so many at once, the others in turn; whoever gives up waiting leaves the queue', async () => {
    const places = new Places(2)
    const ends: (() => void)[] = []
    const order: number[] = []
    const never = new AbortController().signal
    const giveUp = new AbortController()
    const hold = (n: number, signal = never) =>
      places.hold(() => {
        order.push(n)
        return new Promise<void>((resolve) => ends.push(resolve))
      }, signal)
    const [first, second] = [hold(1), hold(2)]
    const third = hold(3, giveUp.signal)
    const fourth = hold(4)
    giveUp.abort(new Error('no more'))
    await expect(third).rejects.toThrow('no more')
    expect(order).toEqual([1, 2])
    ends[0]?.()
    await first
    await Promise.resolve()
    expect(order).toEqual([1, 2, 4])
    for (const end of ends) end()
    await Promise.all([second, fourth])
    const fifth = hold(5)
    expect(order).toEqual([1, 2, 4, 5])
    ends.at(-1)?.()
    await fifth
    await expect(hold(6, giveUp.signal)).rejects.toThrow('no more')
  })

  test('are free again after work that failed', async () => {
    const places = new Places(1)
    const never = new AbortController().signal
    await expect(places.hold(() => Promise.reject(new Error('broken')), never)).rejects.toThrow('broken')
    expect(await places.hold(async () => 7, never)).toBe(7)
  })
})

describe('an execution from the event log', () => {
  const executionId = idOf('execution')
  const counts = { attempts: 1, waits: 0, waitingSince: '2026-11-23T12:00:00.000Z' }
  const execution = {
    id: executionId,
    agentId: idOf('agent'),
    accountId: idOf('account'),
    version: 1,
    tier: 'basic',
    seed: 0,
    startTime: '2000-01-01T00:00:00Z',
    program: { kind: 'script', sha256: '0'.repeat(64) },
    input: { n: 1 },
  }
  type Answers = { claim: unknown; renew?: unknown }

  function runs(run: Runner['run'], answers: Answers) {
    const calls: { path: string; body: unknown }[] = []
    const cancelled: string[] = []
    const runner = { run, cancel: (id: string) => void cancelled.push(id) }
    let done = 0
    const worker = async (path: string, body: unknown) => {
      calls.push({ path, body })
      return path.endsWith('/claim') ? answers.claim : path.endsWith('/renew') ? answers.renew : {}
    }
    return { calls, cancelled, done: () => done, take: createClaimedRuns({ worker, host: 'host-1', runner, log, onDone: () => done++ }) }
  }

  test('is claimed in the turn of its message and run here, and done when its outcome is on disk', async () => {
    const ran: unknown[] = []
    const { calls, take, done } = runs(
      async (asked) => {
        ran.push(asked)
        return Buffer.from('{}')
      },
      { claim: { claimed: { turn: 2, counts, execution } } },
    )
    await take({ executionId, turn: 1 })
    expect(ran).toEqual([execution])
    expect(calls).toEqual([{ path: '/internal/executions/claim', body: { host: 'host-1', executionId, turn: 1 } }])
    expect(done()).toBe(1)
  })

  test('whose turn is over is let go', async () => {
    const { take, done } = runs(async () => expect.fail('nothing is to be run'), { claim: { claimed: null } })
    await take({ executionId, turn: 1 })
    expect(done()).toBe(0)
  })

  test.each([
    [new ProblemError('overloaded', { detail: 'no place', internal: 'of ours' }), { code: 'overloaded', detail: 'no place' }],
    [new Error('EIO at 10.0.0.7'), { code: 'internal', detail: 'the run failed on the host; its log says why' }],
  ])('that gives no outcome is put back with the reason (%s)', async (error, told) => {
    const failing: Runner['run'] = async () => {
      throw error
    }
    const { calls, take, done } = runs(failing, { claim: { claimed: { turn: 2, counts, execution } } })
    await take({ executionId, turn: 1 })
    expect(calls.at(-1)).toEqual({ path: '/internal/executions/put-back', body: { host: 'host-1', executionId, turn: 2, counts, ...told } })
    expect(done()).toBe(0)
  })

  test('that is cancelled meanwhile is stopped, and one that somebody else has is given up while it waits', async () => {
    vi.useFakeTimers()
    try {
      for (const isCancelled of [true, false]) {
        const waiting: Runner['run'] = (_execution, signal) =>
          new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(new Error('given up'))))
        const { calls, cancelled, take, done } = runs(waiting, {
          claim: { claimed: { turn: 2, counts, execution } },
          renew: { isHeld: false, isCancelled },
        })
        const taken = take({ executionId, turn: 1 })
        await vi.advanceTimersByTimeAsync(claimRenewMs)
        await taken
        expect(cancelled).toEqual(isCancelled ? [executionId] : [])
        expect(calls.map(({ path }) => path)).toEqual(['/internal/executions/claim', '/internal/executions/renew'])
        expect(done()).toBe(0)
      }
    } finally {
      vi.useRealTimers()
    }
  })

  test('stays with its message while the Worker is away', async () => {
    const worker = () => Promise.reject(new Error('away'))
    const runner: Runner = { run: async () => Buffer.from('{}'), cancel: () => {} }
    await expect(createClaimedRuns({ worker, host: 'h', runner, log, onDone: () => {} })({ executionId, turn: 1 })).rejects.toThrow('away')
  })
})
