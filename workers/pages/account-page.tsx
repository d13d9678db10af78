import { z } from 'zod'
import type { DayUsage } from '../../shared/day-usage.ts'
import type { LedgerEntry } from '../../shared/ledger.ts'
import { ProblemError } from '../../shared/problem.ts'
import { readOwnAccount } from '../flows/read-own-account.ts'
import { readUsage } from '../flows/read-usage.ts'
import type { Gate } from '../gate.ts'
import { sha256Hex } from '../hex.ts'
import { readForm } from '../request-body.ts'
import { parseWith } from '../request-issues.ts'
import type { Services } from '../services.ts'
import { Credits, Instant, Scroll } from './elements.tsx'
import { count, day, scaled } from './figures.ts'
import { Layout } from './layout.tsx'
import { OwnAgents, OwnExecutions, OwnSubmissions, readOwnLists, type OwnLists } from './own-lists.tsx'
import type { PageRouter } from './page-router.tsx'
import { SignInForm } from './sign-in-form.tsx'
import { UsageChart } from './usage-chart.tsx'

const daysShown = 30
const entriesShown = 20
/** A key, and the name of its field. */
const formBytesMax = 1_024

const signInSchema = z.strictObject({ key: z.string().trim().min(1).max(256) })

export function addAccountPage(pages: PageRouter, services: Services, gate: Gate): void {
  const { ledger, now } = services

  // Open to everybody: for who is not signed in it is where one does. Sessions are made of keys with the scope `read` only.
  pages.get({ path: '/account', access: 'public' }, async ({ caller }) => {
    if (!caller) return <SignInPage />
    const { accountId } = caller
    const [account, usage, entries, lists] = await Promise.all([
      readOwnAccount(services, accountId),
      readUsage(services, { accountId, days: daysShown }),
      ledger.entries(accountId, { limit: entriesShown }),
      readOwnLists(services, accountId),
    ])
    return <AccountPage {...{ account, usage, entries, lists, today: new Date(now()).toISOString().slice(0, 10) }} />
  })

  pages.post('/account/sign-in', async (c) => {
    const { key } = parseWith(signInSchema, await readForm(c.req.raw, formBytesMax))
    try {
      // The same look-up, and the same budget of the address, as a key in a header.
      await gate(c, { access: 'account', scope: 'read', credential: { authorization: `Bearer ${key}` } })
    } catch (error) {
      const isRefused = error instanceof ProblemError && (error.status === 401 || error.status === 403)
      if (!isRefused) throw error
      const reason =
        error.status === 403
          ? `This key cannot sign in: ${error.detail}.`
          : 'No account has this key. It was never issued, is deleted, or has expired.'
      return pages.page(c, <SignInPage error={reason} />, error.status)
    }
    await pages.signIn(c, await sha256Hex(key))
    return c.redirect('/account', 303)
  })

  pages.post('/account/sign-out', async (c) => {
    pages.signOut(c)
    return c.redirect('/', 303)
  })
}

function SignInPage({ error }: { error?: string }) {
  return (
    <Layout title="Sign in" section="account">
      <article class="problem">
        <h1>Sign in</h1>
        <SignInForm {...(error === undefined ? {} : { error })} />
      </article>
    </Layout>
  )
}

type Account = Awaited<ReturnType<typeof readOwnAccount>>

type AccountProps = { account: Account; usage: DayUsage[]; entries: LedgerEntry[]; lists: OwnLists; today: string }

function AccountPage({ account, usage, entries, lists, today }: AccountProps) {
  const sum = (of: 'executions' | 'fuel' | 'creditsIn' | 'creditsOut') => usage.reduce((all, each) => all + each[of], 0)
  return (
    <Layout title="Account" section="account">
      <div class="page-head">
        <div>
          <h1>
            <bdi>{account.name}</bdi>
          </h1>
          <p class="quiet">
            <code>{account.id}</code>, since {day(account.createdAt)}
          </p>
        </div>
        <div class="reward">
          <Credits value={account.balanceCredits} />
          <form method="post" action="/account/sign-out">
            <button type="submit" class="plain">
              Sign out
            </button>
          </form>
        </div>
      </div>
      <section aria-labelledby="usage">
        <h2 id="usage">Last {daysShown} days</h2>
        <ul class="tiles">
          <li>
            <strong>{count(sum('executions'))}</strong> executions
          </li>
          <li>
            <strong>{scaled(sum('fuel'))}</strong> fuel
          </li>
          <li>
            <strong>{count(sum('creditsIn'))}</strong> credits in
          </li>
          <li>
            <strong>{count(sum('creditsOut'))}</strong> credits out
          </li>
        </ul>
        <UsageChart usage={usage} today={today} days={daysShown} />
      </section>
      <section aria-labelledby="submissions">
        <h2 id="submissions">Submissions</h2>
        <OwnSubmissions {...lists} />
      </section>
      <section aria-labelledby="executions">
        <h2 id="executions">Executions</h2>
        <OwnExecutions {...lists} />
      </section>
      <section aria-labelledby="agents">
        <h2 id="agents">Agents</h2>
        <OwnAgents {...lists} />
      </section>
      <section aria-labelledby="ledger">
        <h2 id="ledger">Ledger</h2>
        {entries.length === 0 ? <p class="nothing">Nothing came or went yet.</p> : <Ledger entries={entries} />}
      </section>
    </Layout>
  )
}

function Ledger({ entries }: { entries: LedgerEntry[] }) {
  return (
    <Scroll label="Ledger">
      <table>
        <caption class="hidden">What came and went, newest first</caption>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">What</th>
            <th scope="col" class="number">
              Credits
            </th>
            <th scope="col" class="number">
              Balance after it
            </th>
            <th scope="col">For</th>
          </tr>
        </thead>
        <tbody>
          {entries.map(({ at, kind, credits, balanceAfter, bountyId, reason }) => (
            <tr>
              <td>
                <Instant at={at} />
              </td>
              <th scope="row">{kind}</th>
              <td class="number">{credits > 0 ? `+${count(credits)}` : count(credits).replace('-', '−')}</td>
              <td class="number">{count(balanceAfter)}</td>
              <td>{bountyId === null ? <bdi>{reason ?? '–'}</bdi> : <a href={`/bounties/${bountyId}`}>a bounty</a>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  )
}
