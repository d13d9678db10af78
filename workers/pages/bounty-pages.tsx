import { z } from 'zod'
import type { Bounty, PublicCase } from '../../shared/bounty.ts'
import { idSchema } from '../../shared/ids.ts'
import type { BountyRank } from '../../shared/leaderboard.ts'
import { pageQuerySchema, type Page } from '../../shared/page.ts'
import { ProblemError } from '../../shared/problem.ts'
import { agentRanksRead, bountyRead, readPublic, type PublicRead } from '../public-reads.ts'
import { idParameters } from '../routes/path-parameters.ts'
import type { Services } from '../services.ts'
import { accountName } from './account-name.ts'
import { CaseList, CaseText } from './case-list.tsx'
import { Bar, Credits, Instant, Pager, Scroll, State } from './elements.tsx'
import { count, countOf, fuel } from './figures.ts'
import { Layout } from './layout.tsx'
import type { PageRouter } from './page-router.tsx'

const ranksPerPage = 50

type Winner = { agentId: string; agentName: string; accountName: string }

export function addBountyPages(pages: PageRouter, services: Services): void {
  const querySchema = pageQuerySchema.pick({ cursor: true }).extend({ cases: z.coerce.number().int().min(1).max(1_000).default(1) })

  pages.get(
    { path: '/bounties/{id}', access: 'public', params: idParameters('bounty'), query: querySchema },
    async ({ c, caller, params: { id }, query: { cursor, cases: casesPage } }) => {
      const [bounty, ranks] = await Promise.all([
        readPublic(services, bountyRead(services, id)),
        readPublic(services, agentRanksRead(services, { bounty: id, limit: ranksPerPage, cursor })),
      ])
      const [owner, winner] = await Promise.all([
        accountName(services, bounty.accountId),
        bounty.awardedSubmissionId === null ? undefined : readPublic(services, winnerRead(services, id, bounty.awardedSubmissionId)),
      ])
      const origin = new URL(c.req.url).origin
      const isFirst = cursor === undefined
      return <BountyPage {...{ bounty, ranks, owner, winner, origin, casesPage, isFirst, callerId: caller?.accountId }} />
    },
  )

  const caseSchema = z.object({ id: idSchema('bounty'), caseId: idSchema('case') })
  pages.get({ path: '/bounties/{id}/cases/{caseId}', access: 'public', params: caseSchema }, async ({ params: { id, caseId } }) => {
    const bounty = await readPublic(services, bountyRead(services, id))
    const at = bounty.cases.findIndex((each) => each.id === caseId)
    const shown = bounty.cases[at]
    if (!shown) throw new ProblemError('not-found', { detail: `the bounty ${id} has no public case ${caseId}` })
    return <CasePage bounty={bounty} shown={shown} before={bounty.cases[at - 1]} after={bounty.cases[at + 1]} />
  })
}

/** Part of the bounty's group: an award forgets the bounty. */
function winnerRead({ submissions, agents, accounts }: Services, bountyId: string, submissionId: string): PublicRead<Winner | null> {
  const load = async () => {
    const submission = await submissions.find(submissionId)
    if (!submission) return null
    const [agent, account] = await Promise.all([agents.find(submission.agentId), accounts.find(submission.accountId)])
    return agent && account ? { agentId: agent.id, agentName: agent.name, accountName: account.name } : null
  }
  return { key: `winner:${submissionId}`, group: `bounty:${bountyId}`, lifetimeSeconds: 300, load }
}

type BountyProps = {
  bounty: Bounty
  ranks: Page<BountyRank>
  owner: string | undefined
  winner: Winner | null | undefined
  origin: string
  casesPage: number
  isFirst: boolean
  callerId: string | undefined
}

function BountyPage({ bounty, ranks, owner, winner, origin, casesPage, isFirst, callerId }: BountyProps) {
  const { id, title, description, status, mode, tier, checker, rewardCredits, deadline, createdAt, closedAt, cases, hiddenCaseCount } =
    bounty
  return (
    <Layout title={title} section="bounties">
      <div class="page-head">
        <div>
          <h1>
            <bdi>{title}</bdi>
          </h1>
          <ul class="facts">
            <li>
              <State of={status} />
            </li>
            <li>{mode === 'first' ? 'the first full pass wins' : 'the best wins'}</li>
            <li>tier {tier}</li>
            {checker && (
              <li>
                judged by a <a href={`/agents/${checker.agentId}`}>checker</a>, version {checker.version}
              </li>
            )}
            <li>
              by <bdi>{owner ?? bounty.accountId}</bdi>
            </li>
            <li>
              posted <Instant at={createdAt} />
            </li>
            {deadline !== null && (
              <li>
                until <Instant at={deadline} />
              </li>
            )}
          </ul>
        </div>
        <div class="reward">
          <Credits value={rewardCredits} />
          <p>{escrowOf(bounty)}</p>
        </div>
      </div>
      {winner && (
        <p class="winner">
          Won by{' '}
          <a href={`/agents/${winner.agentId}`}>
            <bdi>{winner.agentName}</bdi>
          </a>{' '}
          of <bdi>{winner.accountName}</bdi>
          {closedAt !== null && (
            <>
              , <Instant at={closedAt} />
            </>
          )}
        </p>
      )}
      <div class="board">
        <div>
          <section aria-labelledby="task">
            <h2 id="task">Task</h2>
            {description === '' ? <p class="nothing">The cases say it all.</p> : <div class="description">{description}</div>}
          </section>
          <section aria-labelledby="leaderboard">
            <h2 id="leaderboard">Leaderboard</h2>
            <Leaderboard ranks={ranks.items} callerId={callerId} />
            {new Set(ranks.items.map(({ enginePlace }) => enginePlace)).size > 1 && (
              <p class="quiet">
                Fuel compares within one engine and mode alone: with as many cases passed, those of the engine that judged here first come
                first.
              </p>
            )}
            <Pager path={`/bounties/${id}`} query={{}} cursor={ranks.nextCursor} isFirst={isFirst} />
          </section>
          <section aria-labelledby="cases">
            <h2 id="cases">Cases</h2>
            <p>
              {countOf(cases.length, 'public case')}
              {hiddenCaseCount === 0
                ? '. None is hidden.'
                : ` and ${count(hiddenCaseCount)} hidden. What is hidden counts in the verdict and is shown to nobody.`}
            </p>
            <CaseList bounty={bounty} page={casesPage} />
          </section>
        </div>
        <aside class="beside" aria-labelledby="submit">
          <h2 id="submit">{status === 'open' ? 'How to submit' : 'Closed'}</h2>
          {status === 'open' ? <HowToSubmit id={id} origin={origin} /> : <p>This bounty takes no more submissions.</p>}
          <h2>For programs</h2>
          <ul class="links">
            <li>
              <a href={`/api/bounties/${id}`}>This bounty as JSON</a>
            </li>
            <li>
              <a href={`/api/leaderboard?bounty=${id}`}>Its leaderboard as JSON</a>
            </li>
            <li>
              <a href="/api/receipt-keys">Keys that sign the receipts</a>
            </li>
          </ul>
        </aside>
      </div>
    </Layout>
  )
}

function escrowOf({ status }: Bounty): string {
  switch (status) {
    case 'open':
      return 'held in escrow'
    case 'awarded':
      return 'paid out'
    case 'expired':
    case 'cancelled':
      return 'gone back'
  }
}

function HowToSubmit({ id, origin }: { id: string; origin: string }) {
  return (
    <>
      <ol class="steps">
        <li>
          Take your account's key:
          <pre tabindex={0}>
            <code>{`export BOUNTY_URL=${origin}\nexport BOUNTY_KEY=…`}</code>
          </pre>
        </li>
        <li>
          Deploy a module that exports a function from input to output:
          <pre tabindex={0}>
            <code>npm run --silent bounty -- deploy agent.ts</code>
          </pre>
        </li>
        <li>
          Submit it and watch the verdicts come:
          <pre tabindex={0}>
            <code>{`npm run --silent bounty -- submit ${id} agent --watch`}</code>
          </pre>
        </li>
      </ol>
    </>
  )
}

function Leaderboard({ ranks, callerId }: { ranks: BountyRank[]; callerId: string | undefined }) {
  if (ranks.length === 0) return <p class="nothing">Nobody yet. The first one leads.</p>
  return (
    <Scroll label="Leaderboard">
      <table class="leaderboard">
        <caption class="hidden">Agents: most cases passed first, then least fuel within one engine and mode, then earliest</caption>
        <thead>
          <tr>
            <th scope="col" class="number">
              <abbr title="Rank">#</abbr>
            </th>
            <th scope="col">Agent</th>
            <th scope="col">Cases passed</th>
            <th scope="col" class="number">
              Fuel
            </th>
            <th scope="col">Runs</th>
            <th scope="col">Author</th>
            <th scope="col">Judged</th>
          </tr>
        </thead>
        <tbody>
          {ranks.map(
            ({
              rank,
              agentId,
              agentName,
              accountId,
              accountName: author,
              submissionId,
              casesPassed,
              casesTotal,
              fuelTotal,
              engine,
              scriptMode,
              finishedAt,
            }) => (
              <tr>
                <td class="number">{rank}</td>
                <th scope="row">
                  <a href={`/agents/${agentId}`}>
                    <bdi>{agentName}</bdi>
                  </a>
                </th>
                <td class="passed">
                  <span>
                    {count(casesPassed)} <span class="quiet">of {count(casesTotal)}</span>
                  </span>
                  <Bar value={casesPassed} max={casesTotal} />
                </td>
                <td class="number">{fuel(fuelTotal)}</td>
                <td title={engine ?? undefined}>{scriptMode ?? 'WebAssembly'}</td>
                <td>
                  <bdi>{author}</bdi>
                </td>
                <td>{accountId === callerId ? <a href={`/submissions/${submissionId}`}>your verdicts</a> : <Instant at={finishedAt} />}</td>
              </tr>
            ),
          )}
        </tbody>
      </table>
    </Scroll>
  )
}

type CaseProps = { bounty: Bounty; shown: PublicCase; before: PublicCase | undefined; after: PublicCase | undefined }

function CasePage({ bounty, shown, before, after }: CaseProps) {
  const name = shown.name ?? `Case ${shown.position + 1}`
  const path = (to: PublicCase) => `/bounties/${bounty.id}/cases/${to.id}`
  return (
    <Layout title={`${name} · ${bounty.title}`} section="bounties">
      <p class="crumb">
        <a href={`/bounties/${bounty.id}`}>
          <bdi>{bounty.title}</bdi>
        </a>
      </p>
      <h1>
        <bdi>{name}</bdi>
      </h1>
      <section aria-labelledby="input">
        <h2 id="input">Input</h2>
        <CaseText value={shown.input} label="Input" />
      </section>
      <section aria-labelledby="expected">
        <h2 id="expected">Expected output</h2>
        <CaseText value={shown.expected} label="Expected output" />
      </section>
      <nav class="pager" aria-label="Cases">
        {before && (
          <a rel="prev" href={path(before)}>
            Case before
          </a>
        )}
        {after && (
          <a rel="next" href={path(after)}>
            Next case
          </a>
        )}
      </nav>
    </Layout>
  )
}
