import { z } from 'zod'
import {
  agentCreateSchema,
  agentListQuerySchema,
  agentSchema,
  agentVersionSchema,
  deployedAgentSchema,
  versionCreateSchema,
  versionMax,
} from '../../shared/agent.ts'
import { hasEnded } from '../../shared/async-execution.ts'
import { executionCreateSchema, executionSchema, outcomeSchema } from '../../shared/execution.ts'
import { pageSchema } from '../../shared/page.ts'
import { prefersAsync, respondAsync } from '../../shared/prefer.ts'
import { limits } from '../../shared/tiers.ts'
import { goOn } from '../background.ts'
import { sealed } from '../envelope.ts'
import { deployAgent, deployVersion, readVersion } from '../flows/deploy-agent.ts'
import { queueExecution } from '../flows/queue-execution.ts'
import { runAgent } from '../flows/run-agent.ts'
import { cachedJson } from '../cached-json.ts'
import { filePartSchema } from '../multipart.ts'
import { agentRead, agentsRead } from '../public-reads.ts'
import type { Router } from '../router.ts'
import type { Services } from '../services.ts'
import { takeTurn } from '../take-messages.ts'
import { idParameters } from './path-parameters.ts'

/** The largest program as base64, and the fields around it. */
const deployBytesMax = Math.ceil((limits.programBytesMax * 4) / 3) + 64 * 1024
/** The largest program as it is, and the fields and boundaries around it. */
const uploadBytesMax = limits.programBytesMax + 64 * 1024

const json = { 'content-type': 'application/json' }

const uploadSchema = filePartSchema.meta({
  type: 'string',
  format: 'binary',
  description: 'The program: the text of a script in UTF-8; the bytes of a command or a component',
})

const versionParameters = idParameters('agent').extend({ version: z.coerce.number().int().min(1).max(versionMax) })

export function addAgentRoutes(router: Router, services: Services): void {
  router.add(
    {
      method: 'get',
      path: '/api/agents',
      summary: 'Agents, newest first, never their source; a page may hold fewer than `limit`, the list ends where `nextCursor` is null',
      access: 'public',
      query: agentListQuerySchema,
      answers: { 200: { description: 'A page of agents', schema: pageSchema(agentSchema) } },
    },
    ({ c, caller, query }) => cachedJson(c, { services, caller, ...agentsRead(services, query) }),
  )

  router.add(
    {
      method: 'get',
      path: '/api/agents/{id}',
      summary: 'One agent; never its source',
      access: 'public',
      params: idParameters('agent'),
      answers: { 200: { description: 'The agent', schema: agentSchema } },
    },
    ({ c, caller, params: { id } }) => cachedJson(c, { services, caller, ...agentRead(services, id) }),
  )

  router.add(
    {
      method: 'post',
      path: '/api/agents',
      summary: 'Deploy an agent; the program is compiled before the answer',
      access: 'account',
      scope: 'deploy',
      body: {
        schema: agentCreateSchema,
        bytesMax: deployBytesMax,
        form: { schema: agentCreateSchema.extend({ source: uploadSchema }), bytesMax: uploadBytesMax },
      },
      answers: { 201: { description: 'The agent, with its first version', schema: deployedAgentSchema } },
    },
    async ({ c, caller: { accountId }, body, attempt }) => {
      const agent = await deployAgent(services, { accountId, agent: body, attempt })
      return c.json(agent, 201, { location: `/api/agents/${agent.id}` })
    },
  )

  router.add(
    {
      method: 'post',
      path: '/api/agents/{id}/versions',
      summary: 'Deploy the next version of an agent',
      access: 'account',
      scope: 'deploy',
      params: idParameters('agent'),
      body: {
        schema: versionCreateSchema,
        bytesMax: deployBytesMax,
        form: { schema: versionCreateSchema.extend({ source: uploadSchema }), bytesMax: uploadBytesMax },
      },
      answers: { 201: { description: 'The agent, with the version that was added', schema: deployedAgentSchema } },
    },
    async ({ c, caller: { accountId }, params: { id }, body, attempt }) => {
      const agent = await deployVersion(services, { accountId, agentId: id, ...body, attempt })
      return c.json(agent, 201, { location: `/api/agents/${agent.id}` })
    },
  )

  router.add(
    {
      method: 'get',
      path: '/api/agents/{id}/versions/{version}',
      summary: 'A version of an agent of your own: how it runs, and what became of its functions where it was compiled',
      access: 'account',
      scope: 'read',
      params: versionParameters,
      answers: { 200: { description: 'The version', schema: agentVersionSchema } },
    },
    async ({ c, caller: { accountId }, params: { id, version } }) => {
      return c.json(await readVersion(services, { id, version, accountId }), 200)
    },
  )

  router.add(
    {
      method: 'post',
      path: '/api/agents/{id}/executions',
      summary: 'Run an agent; whatever the program does is a 200 with its own status. With `Prefer: respond-async` nobody waits: a 202',
      access: 'account',
      scope: 'run',
      params: idParameters('agent'),
      body: { schema: executionCreateSchema, bytesMax: limits.bodyBytesMax },
      headers: z.object({
        Prefer: z.string().optional().meta({
          description: '`respond-async`: the execution is queued, and the answer is a 202 with its Location (RFC 7240)',
        }),
      }),
      answers: {
        200: { description: 'The outcome', schema: outcomeSchema },
        202: { description: 'The execution, queued; ask for it at its Location', schema: executionSchema },
      },
    },
    async ({ c, caller: { accountId }, params: { id }, body, attempt }) => {
      const asked = { accountId, agentId: id, execution: body, attempt }
      if (!prefersAsync(c.req.header('prefer'))) {
        const { id: executionId, status, text } = await runAgent(services, asked)
        if (hasEnded(status)) return sealed(c, { body: text, headers: json })
        return sealed(c, { body: text, status: 202, headers: { ...json, location: `/api/executions/${executionId}` } })
      }
      const { execution, turn } = await queueExecution(services, asked)
      // Sooner than the message arrives; whichever of the two takes the turn, the other finds it taken.
      if (turn !== undefined) goOn(c, takeTurn(services, { topic: 'executions', executionId: execution.id, turn }))
      return c.json(execution, 202, { location: `/api/executions/${execution.id}`, 'preference-applied': respondAsync })
    },
  )
}
