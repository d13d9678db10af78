// Webhooks: every submission, asynchronous execution and bounty has its event each time that it ended, and the receiver took each at least once.
import { hasEnded } from '../../shared/async-execution.ts'
import { isUnfinished } from './check-submissions.ts'
import type { Finding } from './finding.ts'
import type { Held } from './held.ts'

export function checkWebhooks(
  { submissions, asyncExecutions, bounties, events, deliveries, heardEventIds }: Held,
  listening: ReadonlySet<string>,
): Finding[] {
  const eventsOf = Map.groupBy(events, ({ type, subject }) => `${type} ${subject}`)
  const due = [
    // Once for each round.
    ...submissions
      .filter((submission) => !isUnfinished(submission))
      .map(({ id, accountId, round }) => ({ id, accountId, type: 'submission.finished', times: round })),
    ...asyncExecutions
      .filter(({ status }) => hasEnded(status))
      .map(({ id, accountId }) => ({ id, accountId, type: 'execution.finished', times: 1 })),
    ...bounties
      .filter(({ status }) => status !== 'open')
      .map(({ id, accountId, status }) => ({ id, accountId, type: `bounty.${status}`, times: 1 })),
  ].filter(({ accountId }) => listening.has(accountId))
  const told = due.flatMap(({ id, type, times }): Finding[] => {
    const { length } = eventsOf.get(`${type} ${id}`) ?? []
    if (length === times) return []
    return [{ kind: length < times ? 'lost' : 'doubled', what: `event ${type}`, ids: [id] }]
  })

  const heard = new Set(heardEventIds)
  const sent = deliveries.flatMap(({ id, eventId, status }): Finding[] => {
    if (status === 'pending') return [{ kind: 'stuck', what: 'delivery is pending', ids: [id] }]
    if (status === 'failed') return [{ kind: 'lost', what: 'delivery was given up', ids: [id] }]
    return heard.has(eventId)
      ? []
      : [{ kind: 'lost', what: 'delivery counts as delivered, and its event was never heard', ids: [id, eventId] }]
  })
  return [...told, ...sent]
}
