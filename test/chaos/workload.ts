// Who calls during a storm, and for what: strangers that run agents, authors that deploy, patrons that post, award and cancel bounties, and a
// mint. Everything they do can be recognised afterwards by something that only one request has (deed.ts).
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { submissionSchema, type SubmissionStatus } from '../../shared/submission.ts'
import type { Caller } from './caller.ts'
import type { SeededRandom } from './seeded-random.ts'

export type Account = { id: string; key: string }
/** Authors each have a right agent and a wrong one; `moving` is an agent that gets new versions from two sides at once. */
export type Author = Account & { right: string; wrong: string; moving: string }
export type Cast = { adminKey: string; patron: Account; authors: [Author, Author] }

export type WorkloadOptions = { caller: Caller; cast: Cast; random: SeededRandom; until: number }

const identifiedSchema = z.object({ id: z.string() })
const casesPerBounty = 4
/** The wrong agent is wrong about this case alone, and not the first one. */
const wrongAbout = 2
const artifactName = 'made.txt'

export const sources = {
  right: `export default ({ n, bytes }, { artifact }) => {
  if (bytes) artifact('${artifactName}', String(n).padEnd(bytes, '.'))
  return n * 2
}`,
  wrong: `export default ({ n }) => (n === ${wrongAbout} ? -1 : n * 2)`,
}

/** Calls until the time is over; what is not answered by then is still under way at the caller. */
export async function runWorkload({ caller, cast, random, until }: WorkloadOptions): Promise<void> {
  // A number that no other request of this storm has.
  let numbers = 1
  const number = () => numbers++
  const isOver = () => performance.now() >= until

  async function repeatedly(pauseMs: number, work: () => Promise<void>): Promise<void> {
    while (!isOver()) {
      await work()
      await sleep(random.between(pauseMs / 2, pauseMs * 2))
    }
  }

  async function execute(account: Account, agentId: string): Promise<void> {
    const seed = number()
    const bytes = random.isHit(0.3) ? 512 : random.isHit(0.1) ? 400_000 : 0
    const artifact = bytes > 0 ? { name: artifactName, sha256: sha256(String(seed).padEnd(bytes, '.')) } : undefined
    await caller.perform(
      { kind: 'execute', agentId, seed, artifact },
      { path: `/api/agents/${agentId}/executions`, body: { input: { n: seed, bytes }, seed }, apiKey: account.key },
    )
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
    const ended = await caller.follow(`/api/submissions/${submission.id}`, author.key, {
      schema: submissionSchema,
      each: ({ status }) => {
        if (seen && seen.at(-1) !== status) seen.push(status)
        return hasEnded(status)
      },
    })
    return ended
  }

  /** The life of one bounty: posted, submitted to by both authors, then closed by what its mode and its owner's mood say. */
  async function runBounty(): Promise<void> {
    const title = `storm bounty ${number()}`
    const mode = random.pick(['first', 'best'])
    const deadline = random.isHit(0.25) ? new Date(Date.now() + random.between(8_000, 15_000)).toISOString() : undefined
    const cases = Array.from({ length: casesPerBounty }, (_, n) => ({ input: { n }, expected: n * 2, hidden: n % 2 === 1 }))
    const body = { title, mode, rewardCredits: random.between(0, 20), cases, ...(deadline === undefined ? {} : { deadline }) }
    const aim = { kind: 'post-bounty', title, hasDeadline: deadline !== undefined } as const
    const answer = await caller.perform(aim, { path: '/api/bounties', body, apiKey: cast.patron.key })
    const bounty = identifiedSchema.safeParse(answer).data
    if (!bounty) return

    const entries = random.shuffle(cast.authors.flatMap((author) => [true, false].map((isRight) => ({ author, isRight }))))
    // Without a right one a bounty of the mode first stays open, to be cancelled.
    const chosen = random.isHit(0.3) ? entries.filter(({ isRight }) => !isRight) : entries
    const ended = await Promise.all(chosen.map((entry) => submit(bounty.id, entry)))
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
    repeatedly(1_500, () => deploy(random.pick(cast.authors))),
    ...[1, 2].map(() => repeatedly(1_000, () => deployVersion(random.pick(cast.authors)))),
    repeatedly(1_000, mint),
    ...[1, 2].map(() => repeatedly(500, runBounty)),
  ])
}

function hasEnded(status: SubmissionStatus): boolean {
  return status !== 'queued' && status !== 'running'
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
