import { deadLetterListQuerySchema, deadLetterReplaySchema, deadLetterSchema } from '../../shared/dead-letter.ts'
import { pageSchema } from '../../shared/page.ts'
import type { Principal } from '../../shared/account.ts'
import { deadLetterNotFound, replayDeadLetter } from '../flows/replay-dead-letter.ts'
import type { Router } from '../router.ts'
import type { Services } from '../services.ts'
import { idCursor, listName, pageOf } from './page-of.ts'
import { idParameters } from './path-parameters.ts'

/** Whose letters a caller may see; the administrator all. */
const ownerOf = (caller: Principal) => (caller.role === 'admin' ? undefined : caller.accountId)

export function addDeadLetterRoutes(router: Router, services: Services): void {
  const { deadLetters, log } = services

  router.add(
    {
      method: 'get',
      path: '/api/dead-letters',
      summary: 'Work of your account that was given up, newest first, for 30 days; for the administrator that of all, and refused messages',
      access: 'keyholder',
      scope: 'read',
      query: deadLetterListQuerySchema,
      answers: { 200: { description: 'A page of dead letters', schema: pageSchema(deadLetterSchema) } },
    },
    async ({ c, caller, query: { limit, cursor, kind, agent } }) => {
      const list = listName('dead-letters', { kind, agent })
      const page = { limit: limit + 1, after: idCursor(list, cursor) }
      const found = await deadLetters.list({ accountId: ownerOf(caller), kind, agentId: agent, ...page })
      return c.json(pageOf(found, { list, limit, keyOf: ({ id }) => [id] }), 200)
    },
  )

  router.add(
    {
      method: 'get',
      path: '/api/dead-letters/{id}',
      summary: 'A dead letter of your account, with every attempt',
      access: 'keyholder',
      scope: 'read',
      params: idParameters('deadLetter'),
      answers: { 200: { description: 'The dead letter', schema: deadLetterSchema } },
    },
    async ({ c, caller, params: { id } }) => {
      const letter = await deadLetters.find(id, ownerOf(caller))
      if (!letter) throw deadLetterNotFound(id)
      return c.json(letter, 200)
    },
  )

  router.add(
    {
      method: 'post',
      path: '/api/dead-letters/{id}/replay',
      summary:
        'Do the work of a dead letter anew: a failed execution runs again with the same input, a failed submission is submitted again (which takes the scope bounties, too). While its last replay is under way, or when that ended well, the answer names it and nothing is made',
      access: 'keyholder',
      scope: 'run',
      params: idParameters('deadLetter'),
      answers: {
        201: { description: 'New work', schema: deadLetterReplaySchema },
        200: { description: 'The replay that there is', schema: deadLetterReplaySchema },
      },
    },
    async ({ c, caller, params: { id }, attempt }) => {
      const { isNew, ...replay } = await replayDeadLetter(services, { id, caller, attempt })
      if (isNew) log.info('dead letter replayed', { deadLetterId: id, as: replay.id })
      return c.json(replay, isNew ? 201 : 200, { location: `/api/${replay.kind}s/${replay.id}` })
    },
  )

  router.add(
    {
      method: 'delete',
      path: '/api/dead-letters/{id}',
      summary: 'Delete a dead letter of your account; the work that failed stays',
      access: 'keyholder',
      scope: 'run',
      params: idParameters('deadLetter'),
      answers: { 204: { description: 'It is gone' } },
    },
    async ({ c, caller, params: { id } }) => {
      if (!(await deadLetters.remove(id, ownerOf(caller)))) throw deadLetterNotFound(id)
      log.info('dead letter deleted', { deadLetterId: id })
      return c.body(null, 204)
    },
  )
}
