// Webhooks: every submission that ended and every bounty that closed has its event, once, and the receiver took each event at least once.
import { isUnfinished } from './check-submissions.ts'
import type { Finding } from './finding.ts'
import type { Held } from './held.ts'

export function checkWebhooks(
  { submissions, bounties, events, deliveries, heardEventIds }: Held,
  listening: ReadonlySet<string>,
): Finding[] {
  const eventsOf = Map.groupBy(events, ({ type, subject }) => `${type} ${subject}`)
  const due = [
    ...submissions
      .filter((submission) => !isUnfinished(submission))
      .map(({ id, ...rest }) => ({ ...rest, id, type: 'submission.finished' })),
    ...bounties.filter(({ status }) => status !== 'open').map(({ id, accountId, status }) => ({ id, accountId, type: `bounty.${status}` })),
  ].filter(({ accountId }) => listening.has(accountId))
  const told = due.flatMap(({ id, type }): Finding[] => {
    const { length } = eventsOf.get(`${type} ${id}`) ?? []
    if (length === 1) return []
    return [{ kind: length === 0 ? 'lost' : 'doubled', what: `event ${type}`, ids: [id] }]
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
