// The reference of the API for people: every call, from the OpenAPI document, and what holds for all of them, from the tables that it is held to.
import { scopes, scopeSchema } from '../../shared/api-key.ts'
import { problemTable } from '../../shared/problem.ts'
import { rateLimits } from '../../shared/rate-limit.ts'
import { limits, tierNames, tiers } from '../../shared/tiers.ts'
import { groupsOf } from './api-document.ts'
import { CallSection } from './docs-call.tsx'
import { DocsLayout } from './docs-layout.tsx'

const overview = [
  ['start', 'Start'],
  ['authentication', 'Authentication'],
  ['problems', 'Problems'],
  ['pages', 'Pages of lists'],
  ['idempotency', 'Idempotency'],
  ['rate-limits', 'Rate limits'],
  ['caching', 'Caching'],
  ['receipts', 'Receipts'],
  ['events', 'Events'],
  ['limits', 'Tiers and limits'],
] as const

const MiB = 1024 * 1024

export function DocsPage({ document, origin }: { document: unknown; origin: string }) {
  const groups = groupsOf(document)
  const streams = groups.flatMap(({ calls }) => calls.filter(({ path }) => path.endsWith('/events')))
  const sections = overview.filter(([id]) => id !== 'events' || streams.length > 0)
  return (
    <DocsLayout title="Agent Bounty API">
      <div class="page">
        <nav aria-label="Reference">
          <a href="/">The board</a>
          <strong>Agent Bounty API</strong>
          <ul>
            {sections.map(([id, title]) => (
              <li>
                <a href={`#${id}`}>{title}</a>
              </li>
            ))}
          </ul>
          {groups.map(({ id, title, calls }) => (
            <details>
              <summary>{title}</summary>
              <ul>
                {calls.map((call) => (
                  <li>
                    <a href={`#${call.id}`}>
                      <span class={call.method.toLowerCase()}>{call.method}</span> {call.path.replace('/api', '')}
                    </a>
                  </li>
                ))}
              </ul>
              <a href={`#${id}`}>All of {title.toLowerCase()}</a>
            </details>
          ))}
        </nav>
        <main id="main">
          <h1>Agent Bounty API</h1>
          <p>
            Post bounties, deploy agents, run them and have them judged. This page is made from the{' '}
            <a href="/api/openapi.json">OpenAPI 3.1 document</a> with which requests are checked.
          </p>
          <Start origin={origin} />
          <Authentication />
          <h2 id="problems">Problems</h2>
          <p>
            Everything but a success is <code>application/problem+json</code> (RFC 9457). Branch on <code>code</code>, which is stable; show{' '}
            <code>detail</code>; repeat what is <code>retryable</code>, after <code>Retry-After</code> seconds where the answer has that
            header; give us <code>requestId</code> when you ask. A program that fails is no problem: its outcome is a 200 with a status.
          </p>
          <ProblemsTable />
          <Conventions />
          {streams.length > 0 ? (
            <>
              <h2 id="events">Events</h2>
              <p>
                Server-sent events tell what happens while it happens:{' '}
                {streams.map((call, i) => [i > 0 ? ', ' : '', <a href={`#${call.id}`}>{call.path}</a>])}. Come back with the header{' '}
                <code>Last-Event-ID</code> and nothing is told twice or left out.
              </p>
            </>
          ) : null}
          <Limits />
          {groups.map(({ id, title, calls }) => (
            <>
              <h2 id={id}>{title}</h2>
              {calls.map((call) => (
                <CallSection call={call} origin={origin} />
              ))}
            </>
          ))}
        </main>
      </div>
    </DocsLayout>
  )
}

function Start({ origin }: { origin: string }) {
  return (
    <>
      <h2 id="start">Start</h2>
      <p>
        Bodies are JSON; fields that a call does not know are refused. Times are UTC, ids have a prefix that says of what they are and sort
        by creation. Deploy a program, run it:
      </p>
      <pre tabindex={0}>{`curl '${origin}/api/agents' -H "authorization: Bearer $BOUNTY_KEY" \\
  -H 'content-type: application/json' -d '{"name": "twice", "kind": "script", "source": "export default (n) => n * 2"}'
curl '${origin}/api/agents/agt_…/executions' -H "authorization: Bearer $BOUNTY_KEY" \\
  -H 'content-type: application/json' -d '{"input": 21}'`}</pre>
    </>
  )
}

function Authentication() {
  return (
    <>
      <h2 id="authentication">Authentication</h2>
      <p>
        Send <code>Authorization: Bearer ab_…</code>. Bounties without their hidden cases, agents without their source and the leaderboards
        are open to everybody; all else is seen by its own account alone. A key has scopes, of which none includes another, and may have an
        expiry. It is shown once, when it is made. A key that was deleted is dead within a minute.
      </p>
      <p>
        Scopes: {scopes.map((scope, i) => [i > 0 ? ', ' : '', <code>{scope}</code>])}. {scopeSchema.meta()?.description}.
      </p>
    </>
  )
}

function Conventions() {
  const { account, address } = rateLimits
  const minutes = (ms: number) => (ms === 60_000 ? 'a minute' : `in ${ms / 1_000} s`)
  return (
    <>
      <h2 id="pages">Pages of lists</h2>
      <p>
        A list answers <code>items</code> and <code>nextCursor</code>. Send that back as <code>cursor</code>, with the same filters, for the
        next page; null is the end. Cursors are opaque; what is inserted meanwhile neither repeats nor hides an item.
      </p>
      <h2 id="idempotency">Idempotency</h2>
      <p>
        Send a fresh <code>Idempotency-Key</code> with a POST, and repeat the request with the same one until it is answered: it happens
        once and is answered the same for 24 hours, with <code>Idempotency-Replayed: true</code> from the second time on, and without
        secrets that are shown once. The same key with another request is a 409.
      </p>
      <h2 id="rate-limits">Rate limits</h2>
      <p>
        An account may make {account.requests.toLocaleString('en')} requests {minutes(account.windowMs)}, all its keys together; requests
        without a key count against their address, {address.requests.toLocaleString('en')} {minutes(address.windowMs)}. Answers carry{' '}
        <code>RateLimit-Limit</code>, <code>RateLimit-Remaining</code> and <code>RateLimit-Reset</code>; beyond the limit is a 429 with{' '}
        <code>Retry-After</code>.
      </p>
      <h2 id="caching">Caching</h2>
      <p>
        Public reads carry an <code>ETag</code>; send it as <code>If-None-Match</code> and get a 304 while nothing has changed. A read
        without a key may be answered from a cache that is a few seconds behind; a read with a key is always fresh. Answers that nobody may
        keep say <code>no-store</code>.
      </p>
      <h2 id="receipts">Receipts</h2>
      <p>
        The host signs (Ed25519) what it ran: hashes of program, input and output, seed, start time, tier and fuel. Whoever holds program
        and input can run it again and compare: <code>bounty verify</code> does. Its public keys are at{' '}
        <a href="#get-receipt-keys">/api/receipt-keys</a>. A submission's receipt commits to every case; hidden ones are opened when the
        bounty is closed.
      </p>
    </>
  )
}

function Limits() {
  return (
    <>
      <h2 id="limits">Tiers and limits</h2>
      <div class="wide" tabindex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">tier</th>
              <th scope="col">memory</th>
              <th scope="col">wall clock</th>
              <th scope="col">fuel</th>
            </tr>
          </thead>
          <tbody>
            {tierNames.map((name) => (
              <tr>
                <td>{name}</td>
                <td>{tiers[name].memoryBytesMax / MiB} MiB</td>
                <td>{tiers[name].wallMsMax / 1_000} s</td>
                <td>{tiers[name].fuelMax.toLocaleString('en')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p>
        A program may be {limits.programBytesMax / MiB} MiB, an input {limits.inputBytesMax / 1024} KiB, an output{' '}
        {limits.outputBytesMax / MiB} MiB, each log {limits.logBytesMax / 1024} KiB; a run may leave {limits.artifactCountMax} artifacts of{' '}
        {limits.artifactBytesMax / MiB} MiB in all; a bounty may have {limits.casesPerBountyMax.toLocaleString('en')} cases.
      </p>
    </>
  )
}

/** Every code. The type of a problem leads to its row on the page /docs/problems; on a page with calls a prefix keeps ids apart. */
export function ProblemsTable({ idPrefix = 'problem-' }: { idPrefix?: string }) {
  return (
    <div class="wide" tabindex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">code</th>
            <th scope="col">status</th>
            <th scope="col">title</th>
            <th scope="col">retry</th>
          </tr>
        </thead>
        <tbody>
          {Object.entries(problemTable).map(([code, { status, title, retryable }]) => (
            <tr id={`${idPrefix}${code}`}>
              <td>
                <code>{code}</code>
              </td>
              <td>{status}</td>
              <td>{title}</td>
              <td>{retryable ? 'yes' : 'no'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
