// Names of accounts, which lists name by id. A name never changes, so it is kept long.
import type { PublicRead } from '../public-reads.ts'
import { readPublic } from '../public-reads.ts'
import type { Services } from '../services.ts'

const lifetimeSeconds = 3_600

/** @returns undefined for an account that is not there */
export async function accountName({ accounts, reads }: Pick<Services, 'accounts' | 'reads'>, id: string): Promise<string | undefined> {
  const read: PublicRead<string | null> = {
    key: `account-name:${id}`,
    group: 'account-names',
    lifetimeSeconds,
    load: async () => (await accounts.find(id))?.name ?? null,
  }
  return (await readPublic({ reads }, read)) ?? undefined
}
