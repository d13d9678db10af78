// The caller's own agents by name; the API knows them by id.
import { z } from 'zod'
import type { Client } from '../client/create-client.ts'
import { agentSchema } from '../shared/agent.ts'
import { idSchema } from '../shared/ids.ts'
import { pageLimitMax } from '../shared/page.ts'
import { ask, checked } from './connect.ts'

/** Of a kind that this checkout may not know yet, or of an API from before scripts had modes. */
export const anyAgentSchema = agentSchema.extend({ kind: z.string(), scriptMode: agentSchema.shape.scriptMode.default(null) })
export type AnyAgent = z.infer<typeof anyAgentSchema>

/** @param agent an id, which is taken as it is, or a name. @throws Error when the account has no agent of the name */
export async function agentId(agent: string, client: Client): Promise<string> {
  return idSchema('agent').safeParse(agent).success ? agent : (await ownAgent(agent, client)).id
}

/** @throws Error when the account has none of the name */
export async function ownAgent(name: string, client: Client): Promise<AnyAgent> {
  const account = await ask(client, z.object({ id: idSchema('account') }), 'GET /api/accounts/me')
  for await (const agent of client.each('GET /api/agents', { query: { limit: pageLimitMax } })) {
    if (agent.accountId === account.id && agent.name === name) return checked(anyAgentSchema, agent, 'GET /api/agents')
  }
  throw new Error(`your account has no agent named ${JSON.stringify(name)}; \`bounty deploy <file>\` makes one`)
}
