import { z } from 'zod'
import { artifactUrlSchema, executionListQuerySchema, executionSchema, executionSummarySchema } from '../../shared/execution.ts'
import { idSchema } from '../../shared/ids.ts'
import { pageSchema } from '../../shared/page.ts'
import { executionEventSchema, streamEnd } from '../../shared/progress.ts'
import { parseRange } from '../byte-range.ts'
import { answerStream, streamAnswers, streamHeaders } from '../event-stream.ts'
import { holdsAlready } from '../etag.ts'
import { goOn } from '../background.ts'
import { cancelExecution, tellHostOfCancellation } from '../flows/cancel-execution.ts'
import { deliverWebhooks } from '../flows/deliver-webhooks.ts'
import { findArtifact, presignArtifact, readArtifact, readExecution, readRecord, viewExecution } from '../flows/read-execution.ts'
import type { Router } from '../router.ts'
import type { Services } from '../services.ts'
import { idCursor, listName, pageOf } from './page-of.ts'
import { idParameters } from './path-parameters.ts'

const artifactParameters = z.object({ id: idSchema('execution'), name: z.string().max(1_024) })

export function addExecutionRoutes(router: Router, services: Services): void {
  router.add(
    {
      method: 'get',
      path: '/api/executions',
      summary:
        'Executions of your own, newest first: asynchronous ones at once, others once they are recorded (seconds); a page may hold fewer than `limit`',
      access: 'account',
      scope: 'read',
      query: executionListQuerySchema,
      answers: { 200: { description: 'A page of executions', schema: pageSchema(executionSummarySchema) } },
    },
    async ({ c, caller: { accountId }, query: { limit, cursor, agent, status } }) => {
      const list = listName('executions', { agent, status })
      const page = { limit: limit + 1, after: idCursor(list, cursor) }
      const found = await services.executions.list(accountId, { agentId: agent, status, ...page })
      return c.json(pageOf(found, { list, limit, keyOf: ({ id }) => [id] }), 200)
    },
  )

  router.add(
    {
      method: 'get',
      path: '/api/executions/{id}',
      summary: 'An execution of your own, and its outcome when it has ended; found at once by whoever just ran it',
      access: 'account',
      scope: 'read',
      params: idParameters('execution'),
      answers: { 200: { description: 'The execution', schema: executionSchema } },
    },
    async ({ c, caller: { accountId }, params: { id } }) => c.json(viewExecution(await readExecution(services, { id, accountId })), 200),
  )

  router.add(
    {
      method: 'delete',
      path: '/api/executions/{id}',
      summary: 'Cancel an asynchronous execution of your own that has not ended: at once, and for good',
      access: 'account',
      scope: 'run',
      params: idParameters('execution'),
      answers: { 200: { description: 'The execution, cancelled now or before', schema: executionSchema } },
    },
    async ({ c, caller: { accountId }, params: { id } }) => {
      const { execution, isNew } = await cancelExecution(services, { id, accountId })
      if (isNew) goOn(c, Promise.all([tellHostOfCancellation(services, id), deliverWebhooks(services)]))
      return c.json(viewExecution(execution), 200)
    },
  )

  router.add(
    {
      method: 'get',
      path: '/api/executions/{id}/events',
      summary: 'Follow an execution of your own: finished',
      access: 'account',
      scope: 'read',
      params: idParameters('execution'),
      headers: streamHeaders,
      answers: streamAnswers('One event, once it has ended', [executionEventSchema]),
    },
    async ({ c, caller: { accountId }, params: { id } }) =>
      answerStream(c, services, () => async () => {
        const { status, usage, finishedAt } = viewExecution(await readExecution(services, { id, accountId }))
        if (finishedAt === null) return { events: [], hasMore: false, isEnd: false }
        return { events: [{ event: 'finished', id: streamEnd, data: { id, status, usage, finishedAt } }], hasMore: false, isEnd: true }
      }),
  )

  router.add(
    {
      method: 'get',
      path: '/api/executions/{id}/artifacts/{name+}',
      summary: 'Bytes of an artifact, whole or one range of them',
      access: 'account',
      scope: 'read',
      params: artifactParameters,
      answers: {
        200: { description: 'The bytes', schema: z.string(), contentType: 'application/octet-stream' },
        206: { description: 'The range that was asked for', schema: z.string(), contentType: 'application/octet-stream' },
        304: { description: 'The caller has these bytes already' },
      },
    },
    async ({ c, caller: { accountId }, params: { id, name } }) => {
      const artifact = findArtifact(services, await readRecord(services, { id, accountId, missing: 'artifact-not-found' }), name)
      const { bytes, sha256 } = artifact
      const etag = `"${sha256}"`
      const headers: Record<string, string> = {
        etag,
        'accept-ranges': 'bytes',
        'cache-control': 'private, no-cache',
        'content-type': 'application/octet-stream',
        'content-disposition': attachmentOf(name),
      }
      if (holdsAlready(c.req.header('if-none-match'), etag)) return c.body(null, 304, headers)
      const ifRange = c.req.header('if-range')
      const range = parseRange(ifRange === undefined || ifRange === etag ? c.req.header('range') : undefined, bytes)
      const { offset, length } = range ?? { offset: 0, length: bytes }
      headers['content-length'] = String(length)
      if (range) headers['content-range'] = `bytes ${offset}-${offset + length - 1}/${bytes}`
      const status = range ? 206 : 200
      // A HEAD is answered without a look at the bytes.
      if (length === 0 || c.req.method === 'HEAD') return c.body(null, status, headers)
      return c.body(await readArtifact(services, artifact, { offset, length }), status, headers)
    },
  )

  router.add(
    {
      method: 'get',
      path: '/api/executions/{id}/artifact-urls/{name+}',
      summary: 'A URL at which anybody reads an artifact of more than 1 MiB for five minutes, from the bucket itself',
      access: 'account',
      scope: 'read',
      params: artifactParameters,
      answers: { 200: { description: 'The URL, and when it ends', schema: artifactUrlSchema } },
    },
    async ({ c, caller: { accountId }, params: { id, name } }) => {
      const artifact = findArtifact(services, await readRecord(services, { id, accountId, missing: 'artifact-not-found' }), name)
      return c.json(await presignArtifact(services, artifact), 200, { 'cache-control': 'no-store' })
    },
  )
}

/** Never shown in the browser, whatever the program called it. The name is encoded as RFC 8187 says. */
function attachmentOf(name: string): string {
  const base = name.split('/').at(-1) ?? name
  const encoded = encodeURIComponent(base).replaceAll(/['()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
  return `attachment; filename*=UTF-8''${encoded}`
}
