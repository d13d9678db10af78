import { z } from 'zod'
import { dayUsageSchema, usageQuerySchema } from '../../shared/day-usage.ts'
import { creditsMintedSchema, creditsMintSchema, ledgerEntrySchema } from '../../shared/ledger.ts'
import { decodeCursor, pageQuerySchema, pageSchema } from '../../shared/page.ts'
import { limits } from '../../shared/tiers.ts'
import { readUsage } from '../flows/read-usage.ts'
import type { Router } from '../router.ts'
import type { Services } from '../services.ts'
import { pageOf } from './page-of.ts'
import { idParameters } from './path-parameters.ts'

export function addLedgerRoutes(router: Router, services: Services): void {
  const { ledger, log } = services

  router.add(
    {
      method: 'post',
      path: '/api/accounts/{id}/credits',
      summary: 'Mint credits into an account',
      access: 'admin',
      params: idParameters('account'),
      body: { schema: creditsMintSchema, bytesMax: limits.bodyBytesMax },
      answers: { 201: { description: 'What was minted, and the balance after it', schema: creditsMintedSchema } },
    },
    async ({ c, params: { id: accountId }, body: { credits, reason }, attempt }) => {
      const at = attempt.firstAt
      // Minting again under the same id changes nothing.
      const { id, balanceAfter } = await ledger.mint({ id: attempt.newId('transfer'), accountId, credits, reason: reason ?? null, at })
      log.info('credits minted', { transferId: id, accountId, credits })
      return c.json({ id, accountId, credits, balanceCredits: balanceAfter, at }, 201)
    },
  )

  router.add(
    {
      method: 'get',
      path: '/api/accounts/me/ledger',
      summary: 'What came to and went from the balance of your account, newest first',
      access: 'account',
      scope: 'read',
      query: pageQuerySchema,
      answers: { 200: { description: 'A page of entries', schema: pageSchema(ledgerEntrySchema) } },
    },
    async ({ c, caller: { accountId }, query: { limit, cursor } }) => {
      const list = `ledger:${accountId}`
      const [before] = decodeCursor(list, ['number'], cursor) ?? []
      const found = await ledger.entries(accountId, { limit: limit + 1, before: before === undefined ? undefined : Number(before) })
      const page = pageOf(found, { list, limit, keyOf: ({ number }) => [number] })
      return c.json({ ...page, items: page.items.map(({ number: _number, ...entry }) => entry) }, 200)
    },
  )

  router.add(
    {
      method: 'get',
      path: '/api/accounts/me/usage',
      summary: 'What your account ran and spent, by day (UTC), newest first; days without anything are left out',
      access: 'account',
      scope: 'read',
      query: usageQuerySchema,
      answers: { 200: { description: 'The days', schema: z.object({ items: z.array(dayUsageSchema) }) } },
    },
    async ({ c, caller: { accountId }, query: { days } }) => c.json({ items: await readUsage(services, { accountId, days }) }, 200),
  )
}
