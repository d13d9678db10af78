// Who calls during a storm, and for what: strangers that run agents, authors that deploy, patrons that post bounties, change their cases, award
// and cancel them, and a mint. Everything they do can be recognised afterwards by something that only one request has (deed.ts).
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { hasEnded } from '../../shared/async-execution.ts'
import { executionSchema } from '../../shared/execution.ts'
import { submissionSchema } from '../../shared/submission.ts'
import type { Caller } from './caller.ts'
import { isUnfinished } from './check-submissions.ts'
import { artifactOf } from './programs.ts'
import type { SeededRandom } from './seeded-random.ts'
import { doomedTier } from './storm-cloud.ts'

export type Account = { id: string; key: string }
/** Authors each have a right agent and a wrong one; `moving` is an agent that gets new versions from two sides at once. */
export type Author = Account & { right: string; wrong: string; moving: string }
/** `checker` is the patron's. */
export type Cast = { adminKey: string; patron: Account; checker: string; authors: [Author, Author] }

export type WorkloadOptions = { caller: Caller; cast: Cast; random: SeededRandom; until: number }

const identifiedSchema = z.object({ id: z.string() })
const casesPerBounty = 4
/** A cloud that is away for long, or a slow machine, is not buried under what it has not answered. */
const underWayMax = 80
/** A hidden one. */
const mistakenPosition = 1
/** What nobody can be right about, until it is fixed. */
const mistake = -7
/** Long enough to be cancelled in. */
const loopsOfLong = 500_000

/** Calls until the time is over; what is not answered by then is still under way at the caller. */
export async function runWorkload({ caller, cast, random, until }: WorkloadOptions): Promise<void> {
  // A number that no other request of this storm has.
  let numbers = 1
  const number = () => numbers++
  const isOver = () => performance.now() >= until

  async function repeatedly(pauseMs: number, work: () => Promise<void>): Promise<void> {
    while (!isOver()) {
      if (caller.unanswered < underWayMax) await work()
      await sleep(random.between(pauseMs / 2, pauseMs * 2))
    }
  }

  async function execute(account: Account, agentId: string): Promise<void> {
    const seed = number()
    const bytes = random.isHit(0.3) ? 512 : random.isHit(0.1) ? 400_000 : 0
    const artifact = madeBy(seed, bytes)
    await caller.perform(
      { kind: 'execute', agentId, seed, artifact },
      { path: `/api/agents/${agentId}/executions`, body: { input: { n: seed, bytes }, seed }, apiKey: account.key },
    )
  }

  /** Some are cancelled, before they are begun or while they run; some are doomed, and their dead letters are replayed. */
  async function executeAsync(account: Account, agentId: string): Promise<void> {
    const seed = number()
    const isDoomed = random.isHit(0.15)
    const isCancelled = random.isHit(0.4)
    const bytes = random.isHit(0.3) ? 512 : 0
    const input = { n: seed, bytes, loops: isCancelled ? loopsOfLong : 0 }
    const { key: apiKey } = account
    const answer = await caller.perform(
      { kind: 'execute-async', agentId, seed, isDoomed, artifact: madeBy(seed, bytes) },
      {
        path: `/api/agents/${agentId}/executions`,
        body: { input, seed, tier: isDoomed ? doomedTier : 'basic' },
        apiKey,
        prefersAsync: true,
      },
    )
    const executionId = identifiedSchema.safeParse(answer).data?.id
    if (executionId === undefined) return
    const path = `/api/executions/${executionId}`
    const seen = caller.deeds.find(({ aim }) => aim.kind === 'execute-async' && aim.seed === seed)?.seen
    const ended = caller.follow(path, apiKey, {
      schema: executionSchema,
      each: ({ status }) => {
        if (seen && seen.at(-1)?.status !== status) seen.push({ round: 1, status })
        return hasEnded(status)
      },
    })
    if (isCancelled) {
      if (random.isHit(0.5)) await sleep(random.between(20, 400))
      await caller.perform({ kind: 'cancel-execution', executionId }, { method: 'DELETE', path, apiKey })
    }
    if ((await ended)?.status === 'failed') await replay(executionId, apiKey)
  }

  async function replay(executionId: string, apiKey: string): Promise<void> {
    const found = await caller.follow('/api/dead-letters?kind=execution&limit=100', apiKey, {
      schema: z.object({ items: z.array(z.object({ id: z.string(), executionId: z.string().nullable() })) }),
      each: ({ items }) => items.some((letter) => letter.executionId === executionId),
    })
    const letter = found?.items.find((item) => item.executionId === executionId)
    if (letter) await caller.perform({ kind: 'replay', executionId }, { path: `/api/dead-letters/${letter.id}/replay`, apiKey })
  }

  async function deploy(author: Author): Promise<void> {
    const name = `storm-agent-${number()}`
    const source = `export default () => '${name}'`
    const aim = { kind: 'deploy', accountId: author.id, name } as const
    const answer = await caller.perform(aim, { path: '/api/agents', body: { name, kind: 'script', source }, apiKey: author.key })
    const agent = identifiedSchema.safeParse(answer).data
    if (agent) {
      const seed = number()
      await caller.perform(
        { kind: 'execute', agentId: agent.id, seed, artifact: undefined },
        { path: `/api/agents/${agent.id}/executions`, body: { input: null, seed }, apiKey: author.key },
      )
    }
  }

  async function deployVersion({ moving, key }: Author): Promise<void> {
    const source = `export default () => ${number()}`
    const aim = { kind: 'deploy-version', agentId: moving, sha256: sha256(source) } as const
    await caller.perform(aim, { path: `/api/agents/${moving}/versions`, body: { source }, apiKey: key })
  }

  async function mint(): Promise<void> {
    const credits = random.between(1, 9)
    const reason = `storm ${number()}`
    const { id } = cast.patron
    const request = { path: `/api/accounts/${id}/credits`, body: { credits, reason }, apiKey: cast.adminKey }
    await caller.perform({ kind: 'mint', accountId: id, credits, reason }, request)
  }

  async function submit(bountyId: string, { author, isRight }: { author: Author; isRight: boolean }) {
    const agentId = isRight ? author.right : author.wrong
    const stopAtFirstFailure = random.isHit(0.3)
    const request = { path: `/api/bounties/${bountyId}/submissions`, body: { agentId, stopAtFirstFailure }, apiKey: author.key }
    const answer = await caller.perform({ kind: 'submit', bountyId, agentId, isRight, stopAtFirstFailure }, request)
    const submission = identifiedSchema.safeParse(answer).data
    if (!submission) return undefined
    const seen = caller.deeds.find(({ aim }) => aim.kind === 'submit' && aim.bountyId === bountyId && aim.agentId === agentId)?.seen
    /** Until it has ended, in that round or a later one. */
    return (fromRound: number) =>
      caller.follow(`/api/submissions/${submission.id}`, author.key, {
        schema: submissionSchema,
        each: ({ round, status }) => {
          const last = seen?.at(-1)
          if (seen && (last?.status !== status || last.round !== round)) seen.push({ round, status })
          return !isUnfinished({ status }) && round >= fromRound
        },
      })
  }

  /** Mends the mistake and adds a case. @returns whether submissions are judged again */
  async function changeCases(bountyId: string): Promise<boolean> {
    const path = `/api/bounties/${bountyId}/cases`
    const { key: apiKey } = cast.patron
    const found = await caller.follow(path, apiKey, {
      schema: z.object({ items: z.array(z.object({ id: z.string(), position: z.number() })) }),
      each: () => true,
    })
    const caseId = found?.items.find(({ position }) => position === mistakenPosition)?.id
    if (caseId === undefined) return false
    const expected = mistakenPosition * 2
    const fix = { method: 'PATCH', path: `${path}/${caseId}`, body: { expected }, apiKey } as const
    const name = `storm case ${number()}`
    const added = { path, body: { cases: [{ name, input: { n: casesPerBounty }, expected: casesPerBounty * 2 }] }, apiKey }
    const isFixed = await caller.perform({ kind: 'fix-case', bountyId, caseId, expected }, fix)
    const isAdded = await caller.perform({ kind: 'add-case', bountyId, name }, added)
    if (!isFixed || !isAdded) return false
    const again = { path: `/api/bounties/${bountyId}/rejudge`, apiKey }
    return (await caller.perform({ kind: 'rejudge', bountyId }, again)) !== undefined
  }

  /** The life of one bounty: posted, submitted to by both authors, then closed by what its mode and its owner's mood say. */
  async function runBounty(): Promise<void> {
    const title = `storm bounty ${number()}`
    const mode = random.pick(['first', 'best'])
    const deadline = random.isHit(0.25) ? new Date(Date.now() + random.between(8_000, 15_000)).toISOString() : undefined
    const checker = random.isHit(0.3) ? { agentId: cast.checker } : undefined
    const hasMistake = random.isHit(0.3)
    const cases = Array.from({ length: casesPerBounty }, (_, n) => {
      // A checker has a tolerance.
      const expected = hasMistake && n === mistakenPosition ? mistake : n * 2 + (checker ? 1 : 0)
      return { input: { n }, expected, hidden: n % 2 === 1 }
    })
    const body = { title, mode, rewardCredits: random.between(0, 20), cases, deadline, checker }
    const aim = { kind: 'post-bounty', title, hasDeadline: deadline !== undefined } as const
    const answer = await caller.perform(aim, { path: '/api/bounties', body, apiKey: cast.patron.key })
    const bounty = identifiedSchema.safeParse(answer).data
    if (!bounty) return

    const entries = random.shuffle(cast.authors.flatMap((author) => [true, false].map((isRight) => ({ author, isRight }))))
    // Without a right one a bounty of the mode first stays open, to be cancelled.
    const chosen = random.isHit(0.3) ? entries.filter(({ isRight }) => !isRight) : entries
    const follows = await Promise.all(chosen.map((entry) => submit(bounty.id, entry)))
    const endedFrom = (round: number) => Promise.all(follows.map(async (follow) => follow?.(round)))
    let ended = await endedFrom(1)
    if (hasMistake && (await changeCases(bounty.id))) ended = await endedFrom(2)
    if (deadline !== undefined) return
    const winner = ended.find((submission) => submission?.status === 'accepted')
    const request = { body: {}, apiKey: cast.patron.key }
    if (mode === 'best' && winner && random.isHit(0.6)) {
      const path = `/api/bounties/${bounty.id}/award`
      await caller.perform(
        { kind: 'award', bountyId: bounty.id, submissionId: winner.id },
        { ...request, path, body: { submissionId: winner.id } },
      )
    } else if (random.isHit(0.7)) {
      await caller.perform({ kind: 'cancel', bountyId: bounty.id }, { ...request, path: `/api/bounties/${bounty.id}/cancel` })
    }
  }

  const [one, other] = cast.authors
  await Promise.all([
    ...[cast.patron, one, other].map((account) => repeatedly(120, () => execute(account, random.pick([one.right, other.right])))),
    ...[cast.patron, one, other].map((account) => repeatedly(400, () => executeAsync(account, random.pick([one.right, other.right])))),
    repeatedly(1_500, () => deploy(random.pick(cast.authors))),
    ...[1, 2].map(() => repeatedly(1_000, () => deployVersion(random.pick(cast.authors)))),
    repeatedly(1_000, mint),
    ...[1, 2].map(() => repeatedly(500, runBounty)),
  ])
}

function madeBy(n: number, bytes: number): { name: string; sha256: string } | undefined {
  if (bytes === 0) return undefined
  const { name, text } = artifactOf({ n, bytes })
  return { name, sha256: sha256(text) }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
