import { accountCreatedSchema, accountCreateSchema, ownAccountSchema } from '../../shared/account.ts'
import { scopes } from '../../shared/api-key.ts'
import { limits } from '../../shared/tiers.ts'
import { readOwnAccount } from '../flows/read-own-account.ts'
import { sha256Hex } from '../hex.ts'
import { newSecret } from '../new-secret.ts'
import type { Router } from '../router.ts'
import type { Services } from '../services.ts'

export function addAccountRoutes(router: Router, services: Services): void {
  const { accounts, log, now } = services

  router.add(
    {
      method: 'post',
      path: '/api/accounts',
      summary: 'Open an account; its key is shown in this answer and never again',
      access: 'admin',
      body: { schema: accountCreateSchema, bytesMax: limits.bodyBytesMax },
      answers: { 201: { description: 'The account', schema: accountCreatedSchema } },
      secrets: ['key'],
    },
    async ({ c, body, attempt }) => {
      const id = attempt.newId('account')
      if (attempt.isRetry) {
        const made = await accounts.find(id)
        if (made) return c.json({ ...made, balanceCredits: 0 }, 201)
      }
      const createdAt = new Date(now()).toISOString()
      const account = { id, name: body.name, createdAt }
      const key = newSecret()
      const sha256 = await sha256Hex(key)
      const firstKey = { id: attempt.newId('apiKey'), name: 'first key', scopes: [...scopes], createdAt, expiresAt: null, sha256 }
      await accounts.create(account, { ...firstKey, isRateLimited: body.rateLimited })
      log.info('account opened', { accountId: account.id })
      return c.json({ ...account, balanceCredits: 0, key }, 201)
    },
  )

  router.add(
    {
      method: 'get',
      path: '/api/accounts/me',
      summary: 'The account that the key speaks for',
      access: 'account',
      scope: 'read',
      answers: { 200: { description: 'The account', schema: ownAccountSchema } },
    },
    async ({ c, caller: { accountId } }) => c.json(await readOwnAccount(services, accountId)),
  )
}
