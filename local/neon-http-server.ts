// The Neon HTTP protocol over a `pg` pool. Answers carry text, as Postgres sent it; SQL errors are 400 with Postgres' own fields.
import { timingSafeEqual, createHash } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import { DatabaseError, type Pool, type PoolClient, type QueryArrayResult } from 'pg'
import { z } from 'zod'
import { readBody, sendJson } from './http-body.ts'

/** Neon refuses requests above 64 MB as well: https://neon.com/docs/serverless/serverless-driver */
const bodyBytesMax = 64 * 1024 * 1024
const querySchema = z.object({ query: z.string(), params: z.array(z.unknown()).max(65_535).default([]) })
const requestSchema = z.union([z.object({ queries: z.array(querySchema).max(10_000) }), querySchema])
type Query = z.infer<typeof querySchema>

/** Values of `Neon-Batch-Isolation-Level`. */
const isolationLevels: Record<string, string> = {
  ReadUncommitted: 'read uncommitted',
  ReadCommitted: 'read committed',
  RepeatableRead: 'repeatable read',
  Serializable: 'serializable',
}
const errorFields = [
  'severity',
  'code',
  'detail',
  'hint',
  'position',
  'internalPosition',
  'internalQuery',
  'where',
  'schema',
  'table',
] as const
const moreErrorFields = ['column', 'dataType', 'constraint', 'file', 'line', 'routine'] as const

export type NeonHttpOptions = { pool: Pool; user: string; password: string }

export function createNeonHttp({ pool, user, password }: NeonHttpOptions): Server {
  return createServer((request, response) => {
    const answer = async () => {
      if (request.method !== 'POST' || request.url !== '/sql') return sendJson(response, 404, { message: 'POST /sql is all there is' })
      if (!isKnown(request.headers, user, password))
        return sendJson(response, 400, { message: 'password authentication failed', code: '28P01' })
      const body = await readBody(request, bodyBytesMax)
      if (body === undefined) return sendJson(response, 413, { message: `the body is larger than ${bodyBytesMax} bytes` })
      const parsed = requestSchema.safeParse(parseJson(body))
      if (!parsed.success) return sendJson(response, 400, { message: z.prettifyError(parsed.error), code: '08P01' })
      const asArray = request.headers['neon-array-mode'] === 'true'
      return sendJson(response, 200, await withClient(pool, (client) => execute(client, parsed.data, request.headers, asArray)))
    }
    answer().catch((error: unknown) => {
      if (error instanceof DatabaseError) return sendJson(response, 400, { message: error.message, ...fieldsOf(error) })
      console.error(error)
      return sendJson(response, 500, { message: error instanceof Error ? error.message : String(error) })
    })
  })
}

async function execute(client: PoolClient, request: z.infer<typeof requestSchema>, headers: IncomingHttpHeaders, asArray: boolean) {
  if (!('queries' in request)) return render(await run(client, request), asArray)
  const results = []
  await client.query(beginning(headers))
  for (const query of request.queries) results.push(render(await run(client, query), asArray))
  await client.query('commit')
  return { results }
}

function beginning(headers: IncomingHttpHeaders): string {
  const level = isolationLevels[String(headers['neon-batch-isolation-level'])]
  const readOnly = headers['neon-batch-read-only'] === 'true'
  const deferrable = headers['neon-batch-deferrable'] === 'true'
  return ['begin', level ? `isolation level ${level}` : '', readOnly ? 'read only' : '', deferrable ? 'deferrable' : '']
    .filter(Boolean)
    .join(' ')
}

/** A connection that is in doubt is closed, not reused: the next caller must not find itself in somebody's failed transaction. */
async function withClient<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  // The pool listens to idle connections only. A connection that ends under a query fails the query, too, and that is enough.
  const isAnsweredByQuery = () => {}
  client.on('error', isAnsweredByQuery)
  try {
    const result = await work(client)
    client.off('error', isAnsweredByQuery)
    client.release()
    return result
  } catch (error) {
    const isClean = await client.query('rollback').then(
      () => true,
      () => false,
    )
    // One that is closed keeps the listener: its end may still be announced.
    if (isClean) client.off('error', isAnsweredByQuery)
    client.release(!isClean)
    throw error
  }
}

function run(client: PoolClient, { query, params }: Query): Promise<QueryArrayResult> {
  const asText = { getTypeParser: () => (value: string) => value }
  return client.query({ text: query, values: params, rowMode: 'array', types: asText })
}

function render(result: QueryArrayResult, asArray: boolean) {
  const { command, rowCount, fields, rows } = result
  const names = fields.map((field) => field.name)
  return {
    command,
    rowCount,
    rowAsArray: asArray,
    fields: fields.map(({ name, dataTypeID, tableID, columnID, dataTypeSize, dataTypeModifier, format }) => {
      return { name, dataTypeID, tableID, columnID, dataTypeSize, dataTypeModifier, format }
    }),
    rows: asArray ? rows : rows.map((row) => Object.fromEntries(row.map((value, index) => [names[index], value]))),
  }
}

function isKnown(headers: IncomingHttpHeaders, user: string, password: string): boolean {
  const text = String(headers['neon-connection-string'])
  if (!URL.canParse(text)) return false
  const { username, password: given } = new URL(text)
  const digest = (value: string) => createHash('sha256').update(value).digest()
  return timingSafeEqual(digest(`${username}\n${given}`), digest(`${user}\n${password}`))
}

function fieldsOf(error: DatabaseError): Record<string, unknown> {
  return Object.fromEntries([...errorFields, ...moreErrorFields].map((field) => [field, error[field]]))
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
