import { z } from 'zod'
import { webhookEventSchema } from '../../shared/events.ts'
import { idSchema } from '../../shared/ids.ts'
import { pageQuerySchema, pageSchema } from '../../shared/page.ts'
import { ProblemError } from '../../shared/problem.ts'
import { limits } from '../../shared/tiers.ts'
import { deliverySchema, webhookCreatedSchema, webhookCreateSchema, webhookSchema, webhooksPerAccountMax } from '../../shared/webhook.ts'
import { goOn } from '../background.ts'
import { deliverWebhooks } from '../flows/deliver-webhooks.ts'
import { makeWebhook, webhookNotFound } from '../flows/make-webhook.ts'
import { describeEvent } from '../openapi.ts'
import type { Router } from '../router.ts'
import type { Services } from '../services.ts'
import { idCursor, pageOf } from './page-of.ts'
import { idParameters } from './path-parameters.ts'

export function addWebhookRoutes(router: Router, services: Services): void {
  const { webhooks, log, now } = services
  for (const schema of webhookEventSchema.options) describeEvent(router.app, { type: schema.shape.type.value, schema })

  async function findOwn(id: string, accountId: string) {
    const webhook = await webhooks.find(id, accountId)
    if (!webhook) throw webhookNotFound(id)
    return webhook
  }

  router.add(
    {
      method: 'post',
      path: '/api/webhooks',
      summary: `Be told of events at an address of yours, at most ${webhooksPerAccountMax} webhooks; the secret is in this answer and never again`,
      access: 'account',
      scope: 'webhooks',
      body: { schema: webhookCreateSchema, bytesMax: limits.bodyBytesMax },
      answers: { 201: { description: 'The webhook', schema: webhookCreatedSchema } },
      secrets: ['secret'],
    },
    async ({ c, caller: { accountId }, body, attempt }) => {
      const made = await makeWebhook(services, { accountId, webhook: body, attempt })
      return c.json(made, 201, { location: `/api/webhooks/${made.id}` })
    },
  )

  router.add(
    {
      method: 'get',
      path: '/api/webhooks',
      summary: 'The webhooks of your account, newest first; never the secrets',
      access: 'account',
      scope: 'read',
      query: pageQuerySchema,
      answers: { 200: { description: 'A page of webhooks', schema: pageSchema(webhookSchema) } },
    },
    async ({ c, caller: { accountId }, query: { limit, cursor } }) => {
      const found = await webhooks.list(accountId, { limit: limit + 1, after: idCursor('webhooks', cursor) })
      return c.json(pageOf(found, { list: 'webhooks', limit, keyOf: ({ id }) => [id] }), 200)
    },
  )

  router.add(
    {
      method: 'get',
      path: '/api/webhooks/{id}',
      summary: 'A webhook of your account',
      access: 'account',
      scope: 'read',
      params: idParameters('webhook'),
      answers: { 200: { description: 'The webhook', schema: webhookSchema } },
    },
    async ({ c, caller, params: { id } }) => c.json(await findOwn(id, caller.accountId), 200),
  )

  router.add(
    {
      method: 'delete',
      path: '/api/webhooks/{id}',
      summary: 'Delete a webhook of your account with its deliveries; what is being sent at this moment may still arrive',
      access: 'account',
      scope: 'webhooks',
      params: idParameters('webhook'),
      answers: { 204: { description: 'It is gone' } },
    },
    async ({ c, caller: { accountId }, params: { id } }) => {
      if (!(await webhooks.remove(id, accountId))) throw webhookNotFound(id)
      log.info('webhook deleted', { webhookId: id, accountId })
      return c.body(null, 204)
    },
  )

  router.add(
    {
      method: 'post',
      path: '/api/webhooks/{id}/ping',
      summary: 'Send the event webhook.ping to a webhook of your account, to try it out',
      access: 'account',
      scope: 'webhooks',
      params: idParameters('webhook'),
      answers: { 202: { description: 'The delivery, which is on its way', schema: deliverySchema } },
    },
    async ({ c, caller: { accountId }, params: { id }, attempt }) => {
      const ids = { eventId: attempt.newId('event'), deliveryId: attempt.newId('delivery') }
      const delivery = await webhooks.ping(id, { accountId, ...ids, at: attempt.firstAt })
      if (!delivery) throw webhookNotFound(id)
      goOn(c, deliverWebhooks(services))
      return c.json(delivery, 202)
    },
  )

  router.add(
    {
      method: 'get',
      path: '/api/webhooks/{id}/deliveries',
      summary: 'What was sent to a webhook of your account within 30 days, or is to be, newest first',
      access: 'account',
      scope: 'read',
      params: idParameters('webhook'),
      query: pageQuerySchema,
      answers: { 200: { description: 'A page of deliveries', schema: pageSchema(deliverySchema) } },
    },
    async ({ c, caller, params: { id }, query: { limit, cursor } }) => {
      const list = `deliveries:${id}`
      const after = idCursor(list, cursor)
      await findOwn(id, caller.accountId)
      const found = await webhooks.deliveries(id, { limit: limit + 1, after })
      return c.json(pageOf(found, { list, limit, keyOf: (delivery) => [delivery.id] }), 200)
    },
  )

  router.add(
    {
      method: 'post',
      path: '/api/webhooks/{id}/deliveries/{deliveryId}/redeliver',
      summary: 'Send a delivery again, at once, under the same event id; one that is being sent stays as it is',
      access: 'account',
      scope: 'webhooks',
      params: z.object({ id: idSchema('webhook'), deliveryId: idSchema('delivery') }),
      answers: { 202: { description: 'The delivery, which is on its way', schema: deliverySchema } },
    },
    async ({ c, caller: { accountId }, params: { id, deliveryId } }) => {
      await findOwn(id, accountId)
      const delivery = await webhooks.redeliver(deliveryId, { webhookId: id, accountId, at: new Date(now()).toISOString() })
      if (!delivery) {
        throw new ProblemError('delivery-not-found', { detail: `the webhook ${id} has no delivery ${deliveryId}` })
      }
      goOn(c, deliverWebhooks(services))
      return c.json(delivery, 202)
    },
  )
}
