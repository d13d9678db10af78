import type { Agent } from '../../shared/agent.ts'
import { pageQuerySchema } from '../../shared/page.ts'
import { agentRead, agentsRead, readPublic } from '../public-reads.ts'
import { idParameters } from '../routes/path-parameters.ts'
import type { Services } from '../services.ts'
import { accountName } from './account-name.ts'
import { Instant, Pager, Scroll } from './elements.tsx'
import { bytes } from './figures.ts'
import { Layout } from './layout.tsx'
import type { PageRouter } from './page-router.tsx'

const agentsPerPage = 20

export function addAgentPages(pages: PageRouter, services: Services): void {
  pages.get({ path: '/agents', access: 'public', query: pageQuerySchema.pick({ cursor: true }) }, async ({ query: { cursor } }) => {
    const { items, nextCursor } = await readPublic(services, agentsRead(services, { limit: agentsPerPage, cursor }))
    const owners = [...new Set(items.map(({ accountId }) => accountId))]
    const names = new Map(await Promise.all(owners.map(async (id) => [id, await accountName(services, id)] as const)))
    return (
      <Layout title="Agents" section="agents">
        <h1>Agents</h1>
        <p class="lead">Programs that somebody deployed, newest first. What they can do is known; their source is not.</p>
        {items.length === 0 ? <p class="nothing">There are none yet.</p> : <AgentTable agents={items} names={names} />}
        <Pager path="/agents" query={{}} cursor={nextCursor} isFirst={cursor === undefined} />
      </Layout>
    )
  })

  pages.get({ path: '/agents/{id}', access: 'public', params: idParameters('agent') }, async ({ params: { id } }) => {
    const agent = await readPublic(services, agentRead(services, id))
    return <AgentPage agent={agent} owner={await accountName(services, agent.accountId)} />
  })
}

function AgentTable({ agents, names }: { agents: Agent[]; names: Map<string, string | undefined> }) {
  return (
    <Scroll label="Agents">
      <table>
        <caption class="hidden">Agents, newest first</caption>
        <thead>
          <tr>
            <th scope="col">Agent</th>
            <th scope="col">Kind</th>
            <th scope="col" class="number">
              Version
            </th>
            <th scope="col" class="number">
              Size
            </th>
            <th scope="col">Author</th>
            <th scope="col">Deployed</th>
          </tr>
        </thead>
        <tbody>
          {agents.map(({ id, name, kind, version, bytes: size, accountId, updatedAt }) => (
            <tr>
              <th scope="row">
                <a href={`/agents/${id}`}>
                  <bdi>{name}</bdi>
                </a>
              </th>
              <td>{kind}</td>
              <td class="number">{version}</td>
              <td class="number">{bytes(size)}</td>
              <td>
                <bdi>{names.get(accountId) ?? accountId}</bdi>
              </td>
              <td>
                <Instant at={updatedAt} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  )
}

const kinds = {
  script: 'script: one TypeScript or JavaScript module, run in QuickJS',
  command: 'command: a WASI preview 1 program, input and output on its standard streams',
  component: 'component: a WASI 0.2 component that exports run',
} as const

const modes = {
  interpreted: 'interpreted',
  compiled: 'compiled: its functions run as machine code where the compiler takes them',
} as const

function AgentPage({
  agent: { id, name, kind, version, sha256, bytes: size, scriptMode, accountId, createdAt, updatedAt },
  owner,
}: {
  agent: Agent
  owner: string | undefined
}) {
  return (
    <Layout title={name} section="agents">
      <h1>
        <bdi>{name}</bdi>
      </h1>
      <dl class="properties">
        <dt>Kind</dt>
        <dd>{kinds[kind]}</dd>
        <dt>Author</dt>
        <dd>
          <bdi>{owner ?? accountId}</bdi>
        </dd>
        <dt>Latest version</dt>
        <dd>
          {version}, <Instant at={updatedAt} />
        </dd>
        {scriptMode && (
          <>
            <dt>Mode</dt>
            <dd>{modes[scriptMode]}</dd>
          </>
        )}
        <dt>First version</dt>
        <dd>
          <Instant at={createdAt} />
        </dd>
        <dt>Program</dt>
        <dd>
          {bytes(size)}, SHA-256 <code class="hash">{sha256}</code>
        </dd>
        <dt>Id</dt>
        <dd>
          <code>{id}</code>
        </dd>
      </dl>
      <h2>Run it</h2>
      <pre tabindex={0}>
        <code>npm run --silent bounty -- run {id} --input input.json</code>
      </pre>
      <p>
        <a href={`/api/agents/${id}`}>This agent as JSON</a>
      </p>
    </Layout>
  )
}
