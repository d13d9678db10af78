// Every acknowledged execution is in Postgres once, as it was answered, and its artifact can be read from the API and from the bucket.
import { outcomeOf } from '../../shared/execution.ts'
import { jsonEquals } from '../../shared/json-equals.ts'
import { deedsOf, isAcknowledged, outcomesOf, type Deed, type DeedOf } from './deed.ts'
import type { Finding } from './finding.ts'
import type { Held } from './held.ts'

export function checkExecutions(deeds: readonly Deed[], held: Held): Finding[] {
  const bySeed = Map.groupBy(held.executions, ({ record }) => String(record.seed))
  const byId = Map.groupBy(held.executions, ({ id }) => id)
  const rejected = new Set(held.rejectedOutcomes)

  function check(deed: DeedOf<'execute'>): Finding[] {
    const found: Finding[] = []
    const outcomes = outcomesOf(deed)
    const effects = bySeed.get(String(deed.aim.seed)) ?? []
    const ids = [...new Set([...outcomes.map(({ id }) => id), ...effects.map(({ id }) => id)])]
    if (effects.length > 1 || ids.length > 1 || outcomes.length > 1) {
      found.push({ kind: 'doubled', what: `execution under the key ${deed.key}`, ids })
    }
    for (const outcome of outcomes) {
      const [row] = byId.get(outcome.id) ?? []
      if (!row) {
        const where = rejected.has(outcome.id) ? 'among the rejected outcomes' : 'not in Postgres'
        found.push({ kind: 'lost', what: `acknowledged execution is ${where}`, ids: [outcome.id] })
      } else if (!jsonEquals(asAnswered(row.record), outcome)) {
        found.push({ kind: 'wrong', what: 'execution in Postgres differs from its answer', ids: [outcome.id] })
      }
      // A host that stood still for too long; the run left nothing behind.
      if (outcome.status === 'deadline') continue
      if (outcome.status !== 'completed') found.push({ kind: 'wrong', what: `execution ended as ${outcome.status}`, ids: [outcome.id] })
      found.push(...checkArtifact(deed.aim.artifact, outcome.id, held))
    }
    return found
  }
  return deedsOf(deeds, 'execute')
    .filter((deed) => isAcknowledged(deed) || (bySeed.get(String(deed.aim.seed)) ?? []).length > 0)
    .flatMap(check)
}

function asAnswered(record: Held['executions'][number]['record']): unknown {
  // What is undefined is not in an answer.
  return JSON.parse(JSON.stringify(outcomeOf(record)))
}

export function checkArtifact(artifact: DeedOf<'execute'>['aim']['artifact'], executionId: string, { artifacts }: Held): Finding[] {
  if (!artifact) return []
  const name = `${executionId}/${artifact.name}`
  const hashes = artifacts[name]
  return (['api', 'bucket'] as const).flatMap((place): Finding[] => {
    const sha256 = hashes?.[place] ?? 'was not looked for'
    return sha256 === artifact.sha256 ? [] : [{ kind: 'lost', what: `artifact, ${place}: ${sha256}`, ids: [name] }]
  })
}
