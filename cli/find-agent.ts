// The caller's own agents by name; the API knows them by id.
import { z } from 'zod'
import { agentSchema } from '../shared/agent.ts'
import { idSchema } from '../shared/ids.ts'
import { pageLimitMax, pageSchema } from '../shared/page.ts'
import { askApi } from './bounty-api.ts'

/** Of a kind that this checkout may not know yet. */
export const anyAgentSchema = agentSchema.extend({ kind: z.string() })
export type AnyAgent = z.infer<typeof anyAgentSchema>

const agentPageSchema = pageSchema(anyAgentSchema)

/** @param agent an id, which is taken as it is, or a name. @throws Error when the account has no agent of the name */
export async function agentId(agent: string, url: string): Promise<string> {
  return idSchema('agent').safeParse(agent).success ? agent : (await ownAgent(agent, url)).id
}

/** @throws Error when the account has none of the name */
export async function ownAgent(name: string, url: string): Promise<AnyAgent> {
  const account = await askApi(z.object({ id: idSchema('account') }), { url, path: '/api/accounts/me' })
  let cursor: string | null = ''
  while (cursor !== null) {
    const after: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const page: z.infer<typeof agentPageSchema> = await askApi(agentPageSchema, { url, path: `/api/agents?limit=${pageLimitMax}${after}` })
    const found = page.items.find((agent) => agent.accountId === account.id && agent.name === name)
    if (found) return found
    cursor = page.nextCursor
  }
  throw new Error(`your account has no agent named ${JSON.stringify(name)}`)
}
