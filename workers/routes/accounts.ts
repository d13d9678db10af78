import { accountCreatedSchema, accountCreateSchema, ownAccountSchema } from '../../shared/account.ts'
import { ProblemError } from '../../shared/problem.ts'
import { limits } from '../../shared/tiers.ts'
import { sha256Hex } from '../hex.ts'
import { newId } from '../new-id.ts'
import type { Router } from '../router.ts'
import type { Services } from '../services.ts'

export function addAccountRoutes(router: Router, { accounts, ledger, log, now }: Services): void {
  router.add(
    {
      method: 'post',
      path: '/api/accounts',
      summary: 'Open an account; its key is shown in this answer and never again',
      access: 'admin',
      body: { schema: accountCreateSchema, bytesMax: limits.bodyBytesMax },
      answers: { 201: { description: 'The account', schema: accountCreatedSchema } },
    },
    async ({ c, body }) => {
      const at = now()
      const account = { id: newId('account', at), name: body.name, createdAt: new Date(at).toISOString() }
      const key = newKey()
      await accounts.create(account, { id: newId('apiKey', at), sha256: await sha256Hex(key) })
      log.info('account opened', { accountId: account.id })
      return c.json({ ...account, balanceCredits: 0, key }, 201, { 'cache-control': 'no-store' })
    },
  )

  router.add(
    {
      method: 'get',
      path: '/api/accounts/me',
      summary: 'The account that the key speaks for',
      access: 'account',
      answers: { 200: { description: 'The account', schema: ownAccountSchema } },
    },
    async ({ c, caller }) => {
      const { accountId } = caller
      const [account, balanceCredits] = await Promise.all([accounts.find(accountId), ledger.balance(accountId)])
      if (!account || balanceCredits === undefined) throw new ProblemError('unknown-key', { detail: 'the account of this key is gone' })
      return c.json({ ...account, balanceCredits })
    },
  )
}

/** `ab_` and 256 random bits as base64url, as apiKeySchema says. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32))
  return `ab_${btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')}`
}
