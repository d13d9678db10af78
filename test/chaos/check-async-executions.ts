// Every acknowledged asynchronous execution is there once and has ended once: with its output, cancelled by whoever asked for that, or failed
// with its dead letter. What replays a failed one is there once, too.
import { hasEnded } from '../../shared/async-execution.ts'
import { executionStatuses } from '../../shared/execution.ts'
import { attemptsMax } from '../../workers/flows/turns.ts'
import { checkArtifact } from './check-executions.ts'
import { deedsOf, idOf, isAcknowledged, type Deed, type DeedOf } from './deed.ts'
import type { Finding } from './finding.ts'
import type { Held, HeldAsyncExecution } from './held.ts'
import { outputOf } from './programs.ts'

export function checkAsyncExecutions(deeds: readonly Deed[], held: Held): Finding[] {
  const { asyncExecutions, deadLetters } = held
  const byId = new Map(asyncExecutions.map((execution) => [execution.id, execution]))
  const bySeed = Map.groupBy(
    asyncExecutions.filter(({ replayOf }) => replayOf === null),
    ({ seed }) => seed,
  )
  const replaysOf = Map.groupBy(asyncExecutions, ({ replayOf }) => replayOf)
  const lettersOf = Map.groupBy(deadLetters, ({ executionId }) => executionId)
  const cancelsOf = Map.groupBy(deedsOf(deeds, 'cancel-execution'), ({ aim }) => aim.executionId)

  function checkAsked(deed: DeedOf<'execute-async'>): Finding[] {
    const made = bySeed.get(deed.aim.seed) ?? []
    const ids = [...new Set([...deed.answers.map((answer) => idOf({ ...deed, answers: [answer] }) ?? ''), ...made.map(({ id }) => id)])]
    if (ids.length > 1) return [{ kind: 'doubled', what: `asynchronous execution under the key ${deed.key}`, ids }]
    const [execution] = made
    if (!execution) return isAcknowledged(deed) ? [{ kind: 'lost', what: 'acknowledged asynchronous execution', ids }] : []
    return [...checkSeen(deed, execution), ...checkEnd(deed, execution)]
  }

  function checkEnd({ aim }: DeedOf<'execute-async'>, { id, status, output }: HeldAsyncExecution): Finding[] {
    const wrong = (what: string): Finding[] => [{ kind: 'wrong', what: `asynchronous execution is ${status}: ${what}`, ids: [id] }]
    if (status === 'cancelled' || !hasEnded(status)) return []
    if (status === 'failed') {
      const attempts = lettersOf.get(id)?.[0]?.attempts ?? 0
      return aim.isDoomed || attempts >= attemptsMax ? [] : wrong(`it was begun ${attempts} times`)
    }
    if (aim.isDoomed) return wrong('no host offers its tier')
    // A host that stood still for too long; the run left nothing behind.
    if (status === 'deadline') return []
    if (status !== 'completed') return wrong('its program is right')
    const due = String(outputOf({ isRight: true, n: aim.seed }))
    if (output !== due) return wrong(`its output is ${output}; ${due} is due`)
    return checkArtifact(aim.artifact, id, held)
  }

  function checkCancelled(deed: DeedOf<'cancel-execution'>): Finding[] {
    const { executionId } = deed.aim
    const status = byId.get(executionId)?.status ?? 'gone'
    const ids = [executionId]
    if (isAcknowledged(deed) && status !== 'cancelled')
      return [{ kind: 'lost', what: `acknowledged cancellation: the execution is ${status}`, ids }]
    if (deed.refusal !== undefined && status === 'cancelled')
      return [{ kind: 'wrong', what: `cancellation was refused (${deed.refusal}) and done`, ids }]
    return []
  }

  function checkReplay(deed: DeedOf<'replay'>): Finding[] {
    const of = deed.aim.executionId
    const made = (replaysOf.get(of) ?? []).map(({ id }) => id)
    if (made.length > 1) return [{ kind: 'doubled', what: `replay under the key ${deed.key}`, ids: [of, ...made] }]
    const id = idOf(deed)
    return id !== undefined && made[0] !== id ? [{ kind: 'lost', what: 'acknowledged replay', ids: [of, id] }] : []
  }

  function checkRow({ id, status }: HeldAsyncExecution): Finding[] {
    if (!hasEnded(status)) return [{ kind: 'stuck', what: `asynchronous execution is ${status}`, ids: [id] }]
    const found: Finding[] = []
    if (status === 'cancelled' && !(cancelsOf.get(id) ?? []).some(({ refusal }) => refusal === undefined))
      found.push({ kind: 'wrong', what: 'execution is cancelled, and nobody asked for that', ids: [id] })
    const letters = lettersOf.get(id)?.length ?? 0
    const due = status === 'failed' ? 1 : 0
    if (letters > due) found.push({ kind: 'doubled', what: `${letters} dead letters of an execution that is ${status}`, ids: [id] })
    if (letters < due) found.push({ kind: 'lost', what: 'dead letter of a failed execution', ids: [id] })
    return found
  }

  return [
    ...deedsOf(deeds, 'execute-async').flatMap(checkAsked),
    ...deedsOf(deeds, 'cancel-execution').flatMap(checkCancelled),
    ...deedsOf(deeds, 'replay').flatMap(checkReplay),
    ...asyncExecutions.flatMap(checkRow),
    ...checkWaiting(held),
  ]
}

/** States go forward only, and the last one stays. */
function checkSeen({ seen }: DeedOf<'execute-async'>, { id, status }: HeldAsyncExecution): Finding[] {
  const history = [...seen.map((state) => state.status), status]
  return history.flatMap((state, i): Finding[] => {
    const before = history[i - 1]
    if (before === undefined || before === state) return []
    const place = (of: string) => executionStatuses.findIndex((known) => known === of)
    const isForward = (before === 'queued' || before === 'running') && place(state) > place(before)
    return isForward ? [] : [{ kind: 'wrong', what: `asynchronous execution was ${before}, then ${state}`, ids: [id] }]
  })
}

/** What an account is charged with is what it has. */
function checkWaiting({ asyncExecutions, waiting }: Held): Finding[] {
  const unfinished = Map.groupBy(
    asyncExecutions.filter(({ status }) => !hasEnded(status)),
    ({ accountId }) => accountId,
  )
  return waiting.flatMap(({ accountId, count }): Finding[] => {
    const due = unfinished.get(accountId)?.length ?? 0
    return count === due ? [] : [{ kind: 'wrong', what: `account has ${due} executions waiting and counts ${count}`, ids: [accountId] }]
  })
}
