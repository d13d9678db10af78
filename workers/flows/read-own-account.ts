import type { AccountPage } from '../../shared/account.ts'
import { ProblemError } from '../../shared/problem.ts'
import { quotasOf } from '../../shared/quotas.ts'
import type { Services } from '../services.ts'

/** With its balance and quotas, in one question. @throws ProblemError `unknown-key` */
export async function readOwnAccount({ accounts }: Pick<Services, 'accounts'>, accountId: string): Promise<AccountPage> {
  const account = await accounts.findPage(accountId)
  if (!account) throw new ProblemError('unknown-key', { detail: 'the account of this key is gone' })
  const { used, ...own } = account
  return { ...own, quotas: quotasOf(used) }
}
