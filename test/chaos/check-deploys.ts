// Every acknowledged agent and version is there, and one request made one of them.
import { deedsOf, idOf, isAcknowledged, type Deed } from './deed.ts'
import type { Finding } from './finding.ts'
import type { Held } from './held.ts'

export function checkDeploys(deeds: readonly Deed[], { agents, versions }: Held): Finding[] {
  const byName = Map.groupBy(agents, ({ accountId, name }) => `${accountId} ${name}`)
  const byProgram = Map.groupBy(versions, ({ agentId, sha256 }) => `${agentId} ${sha256}`)

  const deploys = deedsOf(deeds, 'deploy').flatMap((deed): Finding[] => {
    const made = byName.get(`${deed.aim.accountId} ${deed.aim.name}`) ?? []
    if (made.length > 1) return [{ kind: 'doubled', what: `agent under the key ${deed.key}`, ids: made.map(({ id }) => id) }]
    const id = idOf(deed)
    if (id !== undefined && made[0]?.id !== id) return [{ kind: 'lost', what: 'acknowledged agent', ids: [id] }]
    return []
  })
  const newVersions = deedsOf(deeds, 'deploy-version').flatMap((deed): Finding[] => {
    const { agentId, sha256 } = deed.aim
    const made = byProgram.get(`${agentId} ${sha256}`) ?? []
    const names = made.map(({ version }) => `${agentId}@${version}`)
    if (made.length > 1) return [{ kind: 'doubled', what: `version under the key ${deed.key}`, ids: names }]
    if (isAcknowledged(deed) && made.length === 0) return [{ kind: 'lost', what: `acknowledged version, key ${deed.key}`, ids: [agentId] }]
    return []
  })
  return [...deploys, ...newVersions]
}
