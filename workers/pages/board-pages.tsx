import { bountyStatuses, bountyStatusSchema, type BountyStatus, type BountySummary } from '../../shared/bounty.ts'
import type { GlobalRank } from '../../shared/leaderboard.ts'
import { pageQuerySchema, type Page } from '../../shared/page.ts'
import { accountRanksRead, bountiesRead, readPublic } from '../public-reads.ts'
import type { Services } from '../services.ts'
import { Credits, Instant, Pager, pathWith, State } from './elements.tsx'
import { count, countOf } from './figures.ts'
import { Layout } from './layout.tsx'
import type { PageRouter } from './page-router.tsx'

const bountiesPerPage = 20
const ranksBeside = 10
const ranksPerPage = 50

const cursorSchema = pageQuerySchema.pick({ cursor: true })

export function addBoardPages(pages: PageRouter, services: Services): void {
  pages.get(
    { path: '/', access: 'public', query: cursorSchema.extend({ status: bountyStatusSchema.optional() }) },
    async ({ query: { status, cursor } }) => {
      const [bounties, ranks] = await Promise.all([
        readPublic(services, bountiesRead(services, { status, limit: bountiesPerPage, cursor })),
        readPublic(services, accountRanksRead(services, { limit: ranksBeside })),
      ])
      return <BoardPage {...{ bounties, ranks, status, isFirst: cursor === undefined }} />
    },
  )

  pages.get({ path: '/ranking', access: 'public', query: cursorSchema }, async ({ query: { cursor } }) => {
    const ranks = await readPublic(services, accountRanksRead(services, { limit: ranksPerPage, cursor }))
    return (
      <Layout title="Ranking" section="ranking">
        <h1>Ranking</h1>
        <p class="lead">Accounts by credits won, then bounties won, then cases passed by their agents.</p>
        <Ranking ranks={ranks.items} />
        <Pager path="/ranking" query={{}} cursor={ranks.nextCursor} isFirst={cursor === undefined} />
      </Layout>
    )
  })
}

type BoardProps = { bounties: Page<BountySummary>; ranks: Page<GlobalRank>; status: BountyStatus | undefined; isFirst: boolean }

function BoardPage({ bounties, ranks, status, isFirst }: BoardProps) {
  return (
    <Layout title="" section="bounties">
      <div class="hero">
        <h1>Bounties for programs that work</h1>
        <p class="lead">
          Somebody posts a task, its test cases and a reward. Anybody deploys an agent: TypeScript, JavaScript or WebAssembly. Every case is
          run, every instruction counted, and the credits go to the one that passes.
        </p>
      </div>
      <div class="board">
        <section aria-labelledby="bounties">
          <div class="section-head">
            <h2 id="bounties">{status === undefined ? 'All bounties' : `Bounties: ${status}`}</h2>
            <nav class="filter" aria-label="Filter by state">
              <ul>
                {[undefined, ...bountyStatuses].map((each) => (
                  <li>
                    <a href={pathWith('/', { status: each })} {...(each === status ? { 'aria-current': 'true' } : {})}>
                      {each ?? 'all'}
                    </a>
                  </li>
                ))}
              </ul>
            </nav>
          </div>
          {bounties.items.length === 0 ? (
            <p class="nothing">There are none{status === undefined ? ' yet' : ' in this state'}.</p>
          ) : (
            <ul class="cards">
              {bounties.items.map((bounty) => (
                <li>
                  <BountyCard bounty={bounty} />
                </li>
              ))}
            </ul>
          )}
          <Pager path="/" query={{ status }} cursor={bounties.nextCursor} isFirst={isFirst} />
        </section>
        <section aria-labelledby="ranking" class="beside">
          <div class="section-head">
            <h2 id="ranking">Ranking</h2>
            <a href="/ranking">All</a>
          </div>
          <Ranking ranks={ranks.items} />
        </section>
      </div>
    </Layout>
  )
}

function BountyCard({
  bounty: { id, title, rewardCredits, mode, tier, status, caseCount, deadline, createdAt },
}: {
  bounty: BountySummary
}) {
  return (
    <article class="card">
      <div class="card-head">
        <h3>
          <a href={`/bounties/${id}`}>
            <bdi>{title}</bdi>
          </a>
        </h3>
        <Credits value={rewardCredits} />
      </div>
      <ul class="facts">
        <li>
          <State of={status} />
        </li>
        <li>{mode === 'first' ? 'first full pass wins' : 'best wins'}</li>
        <li>{countOf(caseCount, 'case')}</li>
        <li>tier {tier}</li>
        <li>
          {deadline === null ? (
            <>
              posted <Instant at={createdAt} />
            </>
          ) : (
            <>
              until <Instant at={deadline} />
            </>
          )}
        </li>
      </ul>
    </article>
  )
}

function Ranking({ ranks }: { ranks: GlobalRank[] }) {
  if (ranks.length === 0) return <p class="nothing">No agent has been judged yet.</p>
  return (
    <table class="ranking">
      <caption class="hidden">Accounts, the one that won most credits first</caption>
      <thead>
        <tr>
          <th scope="col" class="number">
            <abbr title="Rank">#</abbr>
          </th>
          <th scope="col">Account</th>
          <th scope="col" class="number">
            Credits
          </th>
          <th scope="col" class="number">
            Won
          </th>
          <th scope="col" class="number">
            Cases
          </th>
        </tr>
      </thead>
      <tbody>
        {ranks.map(({ rank, accountName, creditsWon, bountiesWon, casesPassed }) => (
          <tr>
            <td class="number">{rank}</td>
            <th scope="row">
              <bdi>{accountName}</bdi>
            </th>
            <td class="number">{count(creditsWon)}</td>
            <td class="number">{count(bountiesWon)}</td>
            <td class="number">{count(casesPassed)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
