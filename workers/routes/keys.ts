import { keyCreatedSchema, keyCreateSchema, keySchema, keysPerAccountMax } from '../../shared/api-key.ts'
import { pageQuerySchema, pageSchema } from '../../shared/page.ts'
import { limits } from '../../shared/tiers.ts'
import { keyNotFound, makeKey } from '../flows/make-key.ts'
import type { Router } from '../router.ts'
import type { Services } from '../services.ts'
import { idCursor, pageOf } from './page-of.ts'
import { idParameters } from './path-parameters.ts'

export function addKeyRoutes(router: Router, services: Services): void {
  const { keys, knownKeys, log } = services

  router.add(
    {
      method: 'post',
      path: '/api/keys',
      summary: `Make a key for your account, at most ${keysPerAccountMax}; it is shown in this answer and never again`,
      access: 'account',
      scope: 'keys',
      body: { schema: keyCreateSchema, bytesMax: limits.bodyBytesMax },
      answers: { 201: { description: 'The key', schema: keyCreatedSchema } },
      secrets: ['key'],
    },
    async ({ c, caller, body, attempt }) => c.json(await makeKey(services, { by: caller, key: body, attempt }), 201),
  )

  router.add(
    {
      method: 'get',
      path: '/api/keys',
      summary: 'The keys of your account, newest first; never the secrets',
      access: 'account',
      scope: 'read',
      query: pageQuerySchema,
      answers: { 200: { description: 'A page of keys', schema: pageSchema(keySchema) } },
    },
    async ({ c, caller: { accountId }, query: { limit, cursor } }) => {
      const found = await keys.list(accountId, { limit: limit + 1, after: idCursor('keys', cursor) })
      return c.json(pageOf(found, { list: 'keys', limit, keyOf: ({ id }) => [id] }), 200)
    },
  )

  router.add(
    {
      method: 'delete',
      path: '/api/keys/{id}',
      summary: 'Delete a key of your account, or, as the administrator, of any; it works nowhere any more within a minute',
      access: 'keyholder',
      scope: 'keys',
      params: idParameters('apiKey'),
      answers: { 204: { description: 'It is gone' } },
    },
    async ({ c, caller, params: { id } }) => {
      const sha256 = await keys.remove(id, caller.role === 'admin' ? undefined : caller.accountId)
      if (sha256 === undefined) throw keyNotFound(id)
      knownKeys.set(sha256, 'nobody')
      log.info('key deleted', { keyId: id, by: caller.role === 'admin' ? 'admin' : caller.keyId })
      return c.body(null, 204)
    },
  )
}
