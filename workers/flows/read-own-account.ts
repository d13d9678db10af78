import type { Account } from '../../shared/account.ts'
import { ProblemError } from '../../shared/problem.ts'
import type { Services } from '../services.ts'

/** With its balance. @throws ProblemError `unknown-key` */
export async function readOwnAccount(
  { accounts, ledger }: Pick<Services, 'accounts' | 'ledger'>,
  accountId: string,
): Promise<Account & { balanceCredits: number }> {
  const [account, balanceCredits] = await Promise.all([accounts.find(accountId), ledger.balance(accountId)])
  if (!account || balanceCredits === undefined) throw new ProblemError('unknown-key', { detail: 'the account of this key is gone' })
  return { ...account, balanceCredits }
}
