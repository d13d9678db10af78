// What an account has on its page: its submissions, its executions and its agents, newest first.
import type { Agent } from '../../shared/agent.ts'
import type { BountySummary } from '../../shared/bounty.ts'
import type { ExecutionSummary } from '../../shared/execution.ts'
import type { SubmissionSummary } from '../../shared/submission.ts'
import type { Services } from '../services.ts'
import { Instant, Scroll, State } from './elements.tsx'
import { count, scaled } from './figures.ts'

const submissionsShown = 10
const executionsShown = 10
const agentsShown = 20

export type OwnLists = {
  submissions: SubmissionSummary[]
  executions: ExecutionSummary[]
  agents: Agent[]
  bounties: Map<string, BountySummary>
}

export async function readOwnLists({ submissions, executions, agents, bounties }: Services, accountId: string): Promise<OwnLists> {
  const [{ items: own }, { items: ownExecutions }, { items: ownAgents }] = await Promise.all([
    submissions.list(accountId, { limit: submissionsShown }),
    executions.list(accountId, { limit: executionsShown }),
    agents.list({ owner: accountId, limit: agentsShown }),
  ])
  const ids = [...new Set(own.map(({ bountyId }) => bountyId))]
  const found = await Promise.all(ids.map((id) => bounties.findSummary(id)))
  const named = new Map(found.flatMap((bounty) => (bounty ? [[bounty.id, bounty]] : [])))
  return { submissions: own, executions: ownExecutions, agents: ownAgents, bounties: named }
}

export function OwnSubmissions({ submissions, agents, bounties }: OwnLists) {
  if (submissions.length === 0) return <p class="nothing">None yet.</p>
  const names = new Map(agents.map(({ id, name }) => [id, name]))
  return (
    <Scroll label="Submissions">
      <table>
        <caption class="hidden">Your latest submissions, newest first</caption>
        <thead>
          <tr>
            <th scope="col">Bounty</th>
            <th scope="col">Agent</th>
            <th scope="col">State</th>
            <th scope="col" class="number">
              Cases passed
            </th>
            <th scope="col">Submitted</th>
          </tr>
        </thead>
        <tbody>
          {submissions.map(({ id, bountyId, agentId, version, status, casesPassed, casesTotal, createdAt }) => (
            <tr>
              <th scope="row">
                <a href={`/submissions/${id}`}>
                  <bdi>{bounties.get(bountyId)?.title ?? bountyId}</bdi>
                </a>
              </th>
              <td>
                <bdi>{names.get(agentId) ?? agentId}</bdi> <span class="quiet">{version}</span>
              </td>
              <td>
                <State of={status} />
              </td>
              <td class="number">
                {count(casesPassed)} <span class="quiet">of {count(casesTotal)}</span>
              </td>
              <td>
                <Instant at={createdAt} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  )
}

export function OwnExecutions({ executions, agents }: OwnLists) {
  if (executions.length === 0) return <p class="nothing">None yet.</p>
  const names = new Map(agents.map(({ id, name }) => [id, name]))
  return (
    <Scroll label="Executions">
      <table>
        <caption class="hidden">Your latest executions, newest first</caption>
        <thead>
          <tr>
            <th scope="col">Execution</th>
            <th scope="col">Agent</th>
            <th scope="col">State</th>
            <th scope="col" class="number">
              Fuel
            </th>
            <th scope="col">Ended</th>
          </tr>
        </thead>
        <tbody>
          {executions.map(({ id, agentId, version, status, fuel: used, finishedAt }) => (
            <tr>
              <th scope="row">
                <code>{id}</code>
              </th>
              <td>
                <bdi>{names.get(agentId) ?? agentId}</bdi> <span class="quiet">{version}</span>
              </td>
              <td>
                <State of={status} />
              </td>
              <td class="number">{used === null ? '–' : scaled(used)}</td>
              <td>{finishedAt === null ? '–' : <Instant at={finishedAt} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  )
}

export function OwnAgents({ agents }: Pick<OwnLists, 'agents'>) {
  if (agents.length === 0) return <p class="nothing">None yet.</p>
  return (
    <ul class="links">
      {agents.map(({ id, name, kind, version }) => (
        <li>
          <a href={`/agents/${id}`}>
            <bdi>{name}</bdi>
          </a>{' '}
          <span class="quiet">
            {kind}, version {version}
          </span>
        </li>
      ))}
    </ul>
  )
}
