// Deletes what is kept no longer: rows of executions, then objects in the bucket that no row names. A walk goes over everything in steps, each
// bounded, each by itself true: it may break off anywhere, and two may run at once.
//
//   executions: rows older than they are kept ─▶ programs ─▶ artifacts ─▶ bundles: objects that are old, and that nobody names
//
// Nothing that is young is deleted, whatever the rows say: rows come after objects, sometimes much later. Bundles and artifacts are young
// until everything in them has been kept as long as it is to be; programs, for which a deploy may come again at any time, are claimed first
// (shared/sweep-ports.ts), so that a deploy of the same bytes either finds them and keeps them, or waits until they are gone.
import { artifactKeyForm, bundleKey, bundleNameSchema } from '../../shared/execution.ts'
import { decodeCursor, encodeCursor } from '../../shared/page.ts'
import { ProblemError } from '../../shared/problem.ts'
import type { StoredObject } from '../../shared/ports.ts'
import { sweepPhases, type SweepStep } from '../../shared/sweep.ts'
import type { Services } from '../services.ts'

const dayMs = 86_400_000
/** Beyond what things are kept: clocks differ, and whatever is under way when something is stored is over by then. */
export const marginMs = dayMs
/** What R2 lists, and deletes, at once. */
const objectsMax = 1_000
/** At 1 ms each a second; each may hold a megabyte. */
const rowsMax = 500
/** A dry run deletes none of them, so it can count more at once. */
const countedRowsMax = 100_000
const examplesMax = 10
/** A cron of Cloudflare ends after 15 minutes (https://developers.cloudflare.com/workers/platform/limits/): whoever claimed bytes is gone by then. */
export const claimMs = 20 * 60_000
/** A step takes seconds; one that broke off is taken up after this. */
const leaseMs = 5 * 60_000
/** Of one firing of the cron. */
const stepsMax = 10
/** Between walks. */
const restMs = 3_600_000

type Phase = (typeof sweepPhases)[number]
type Walk = { phase: Phase; after: string }
type StepOf = Pick<SweepStep, 'looked' | 'deleted' | 'bytes' | 'examples'> & { next: string | undefined }

/** One step. @throws ProblemError `invalid-cursor`, `database-unavailable`, `artifacts-unavailable` */
export async function sweepStep(
  services: Services,
  { dryRun, cursor }: { dryRun: boolean; cursor?: string | undefined },
): Promise<SweepStep> {
  const { phase, after } = walkFrom(cursor)
  const { next, ...found } = await steps[phase](services, { dryRun, after })
  const nextPhase = sweepPhases[sweepPhases.indexOf(phase) + 1]
  const onwards = next === undefined ? nextPhase && { phase: nextPhase, after: '' } : { phase, after: next }
  if (found.deleted > 0 && !dryRun) services.log.info('storage swept', { phase, deleted: found.deleted, bytes: found.bytes })
  return { phase, dryRun, ...found, nextCursor: onwards ? encodeCursor('sweep', [onwards.phase, onwards.after]) : null }
}

/** Steps that are due, if any are; fired by a cron. @returns how many it took */
export async function sweepStorage(services: Services): Promise<number> {
  const { retention, now } = services
  for (let count = 0; count < stepsMax; count++) {
    const at = now()
    const taken = await retention.takeStep({ at: iso(at), leaseUntil: iso(at + leaseMs) })
    if (!taken) return count
    const step = await sweepStep(services, { dryRun: false, cursor: taken.cursor ?? undefined })
    await retention.endStep({ cursor: step.nextCursor, dueAt: iso(step.nextCursor === null ? now() + restMs : now()) })
  }
  return stepsMax
}

const steps: Record<Phase, (services: Services, step: { dryRun: boolean; after: string }) => Promise<StepOf>> = {
  async executions({ retention, kept, now }, { dryRun }) {
    const before = iso(now() - kept.executionsMs)
    const { executions, rejectedOutcomes } = dryRun
      ? await retention.countOld({ before, limit: countedRowsMax })
      : await retention.deleteOld({ before, limit: rowsMax })
    const deleted = executions + rejectedOutcomes
    const isMore = !dryRun && Math.max(executions, rejectedOutcomes) === rowsMax
    return { looked: deleted, deleted, bytes: 0, examples: [], next: isMore ? '' : undefined }
  },

  async programs({ artifacts, programClaims, now }, { dryRun, after }) {
    const page = await artifacts.list('programs/', { after, limit: objectsMax })
    const at = now()
    const old = page.objects.filter(({ storedAt }) => storedAt < at - marginMs)
    const bySha256 = new Map(
      old.flatMap((object) => (programForm.exec(object.key) ?? []).slice(1).map((sha256) => [sha256, object] as const)),
    )
    const asked = [...bySha256.keys()]
    const time = { at: iso(at), until: iso(at + claimMs) }
    const free = asked.length === 0 ? [] : dryRun ? await programClaims.unnamed(asked, time) : await programClaims.claim(asked, time)
    const objects = free.flatMap((sha256) => bySha256.get(sha256) ?? [])
    if (!dryRun && objects.length > 0) {
      await artifacts.remove(objects.map(({ key }) => key))
      await programClaims.release(free)
    }
    return { ...told(page.objects, objects), next: page.hasMore ? page.objects.at(-1)?.key : undefined }
  },

  async artifacts(services, step) {
    return sweepOfHosts(services, {
      ...step,
      prefix: 'artifacts/',
      async named(keys, since) {
        const byExecution = Map.groupBy(keys, (key) => artifactKeyForm.exec(key)?.[2] ?? '')
        const kept = await services.retention.keptExecutions([...byExecution.keys()], since)
        return kept.flatMap((execution) => byExecution.get(execution) ?? [])
      },
      isKey: (key) => artifactKeyForm.test(key),
    })
  },

  async bundles(services, step) {
    const prefix = bundleKey('')
    return sweepOfHosts(services, {
      ...step,
      prefix,
      async named(keys, since) {
        const bundles = await services.retention.namedBundles(
          keys.map((key) => key.slice(prefix.length)),
          since,
        )
        return bundles.map(bundleKey)
      },
      isKey: (key) => bundleNameSchema.safeParse(key.slice(prefix.length)).success,
    })
  },
}

const programForm = /^programs\/([0-9a-f]{64})$/

type OfHosts = {
  dryRun: boolean
  after: string
  prefix: string
  /** Those of `keys` that what ended at or after `since` names. */
  named: (keys: string[], since: string) => Promise<string[]>
  /** What is not one of ours is left alone. */
  isKey: (key: string) => boolean
}

/** Keys name a host first, and what it made in the order of time: behind the first young one of a host there is nothing to do. */
async function sweepOfHosts({ artifacts, kept, now }: Services, { dryRun, after, prefix, named, isKey }: OfHosts): Promise<StepOf> {
  const page = await artifacts.list(prefix, { after, limit: objectsMax })
  const endedBefore = now() - kept.artifactsMs
  const firstYoung = page.objects.findIndex(({ storedAt }) => storedAt >= endedBefore - marginMs)
  const looked = firstYoung === -1 ? page.objects : page.objects.slice(0, firstYoung + 1)
  const old = looked.filter(({ key, storedAt }) => storedAt < endedBefore - marginMs && isKey(key))
  const stay = new Set(
    old.length === 0
      ? []
      : await named(
          old.map(({ key }) => key),
          iso(endedBefore),
        ),
  )
  const objects = old.filter(({ key }) => !stay.has(key))
  if (!dryRun && objects.length > 0) await artifacts.remove(objects.map(({ key }) => key))
  const young = page.objects[firstYoung]
  // `~` is behind every character of a key.
  const next = young ? `${prefix}${young.key.slice(prefix.length).split('/')[0]}/~` : page.hasMore ? page.objects.at(-1)?.key : undefined
  return { ...told(looked, objects), next }
}

function told(looked: StoredObject[], deleted: StoredObject[]): Omit<StepOf, 'next'> {
  const bytes = deleted.reduce((sum, object) => sum + object.bytes, 0)
  return { looked: looked.length, deleted: deleted.length, bytes, examples: deleted.slice(0, examplesMax).map(({ key }) => key) }
}

function walkFrom(cursor: string | undefined): Walk {
  const [phase, after] = decodeCursor('sweep', ['string', 'string'], cursor) ?? ['executions', '']
  const known = sweepPhases.find((name) => name === phase)
  if (!known) throw new ProblemError('invalid-cursor', { detail: 'cursor must be the nextCursor of a step of the sweep' })
  return { phase: known, after: String(after) }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
