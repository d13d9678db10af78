import { z } from 'zod'
import { ProblemError } from '../../shared/problem.ts'
import { receiptSchema, registeredReceiptKeySchema } from '../../shared/receipt.ts'
import { cachedJson } from '../cached-json.ts'
import { readRecord } from '../flows/read-execution.ts'
import { listReceiptKeys } from '../flows/receipt-keys.ts'
import type { Router } from '../router.ts'
import type { Services } from '../services.ts'
import { idParameters } from './path-parameters.ts'

export function addReceiptRoutes(router: Router, services: Services): void {
  router.add(
    {
      method: 'get',
      path: '/api/executions/{id}/receipt',
      summary: 'What the host states and signed about an execution of your own; bounty verify runs it again',
      access: 'account',
      scope: 'read',
      params: idParameters('execution'),
      answers: { 200: { description: 'The receipt', schema: receiptSchema } },
    },
    async ({ c, caller: { accountId }, params: { id } }) => {
      const { receipt, status, engine } = await readRecord(services, { id, accountId, missing: 'receipt-not-found' })
      if (receipt) return c.json(receipt, 200)
      const why = status === 'deadline' ? 'a deadline is time, which does not repeat' : `the engine ${engine} does not meter`
      throw new ProblemError('receipt-not-found', { detail: `execution ${id} ended ${status} and has no receipt: ${why}` })
    },
  )

  router.add(
    {
      method: 'get',
      path: '/api/receipt-keys',
      summary: 'Public keys of the hosts that sign receipts, newest first',
      access: 'public',
      answers: { 200: { description: 'The keys', schema: z.object({ items: z.array(registeredReceiptKeySchema) }) } },
    },
    ({ c, caller }) =>
      cachedJson(c, {
        services,
        caller,
        key: 'receipt-keys',
        group: 'receipt-keys',
        lifetimeSeconds: 60,
        load: async () => ({ items: await listReceiptKeys(services) }),
      }),
  )
}
