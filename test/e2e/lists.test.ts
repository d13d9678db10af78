// Every list of the API, as the OpenAPI document has them, with every choice of its filters, on its first page and behind a cursor: whatever
// the Worker asks of Postgres for it is explained, over many rows, and may read little more than it shows, in the order of an index. A list
// that is new is walked as soon as it is there; a filter that is new needs a value below.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { migrate } from '../../local/migrate.ts'
import { stepsMax } from '../../workers/adapters/keyset-page.ts'
import { startOwnPostgres, type OwnPostgres } from '../fakes/own-postgres.ts'
import { recordedAdminKey, recordedEdge, type RecordedEdge, type RecordedStatement } from '../fakes/recorded-edge.ts'

const first = (prefix: string) => `${prefix}_${'1'.padStart(26, '0')}`
const limit = 5
/** What a filter is asked for, where the document does not list its values. */
const samples: Record<string, string> = { owner: first('acc'), q: 'common rare', bounty: first('bty'), agent: first('agt') }
/** The one thing that a list is of, where its path names one. */
const parents: Record<string, string> = {
  '/api/webhooks/{id}/deliveries': first('whk'),
  // The first of the account's own.
  '/api/bounties/{id}/cases': `bty_${'10'.padStart(26, '0')}`,
}
/** Lists without pages, and what bounds them. */
const whole: Record<string, string> = {
  '/api/accounts/me/usage': 'days, at most 90 of them',
  '/api/receipt-keys': 'one for each data directory that a host ever had; the newest 1,000 are all that is shown',
}

const key = `ab_${'k'.repeat(43)}`
let postgres: OwnPostgres
let edge: RecordedEdge
beforeAll(async () => {
  postgres = await startOwnPostgres()
  await migrate({ databaseUrl: postgres.databaseUrl })
  await postgres.client.query(await readFile('test/fixtures/many-rows.sql', 'utf8'))
  const sha256 = createHash('sha256').update(key).digest('hex')
  // Nineteen more keys, so that this account's list has pages.
  await postgres.client.query(`insert into api_keys (id, account_id, sha256, created_at, name, scopes, rate_limited)
    select some_id('key', 90000 + i), some_id('acc', 1), case i when 0 then '${sha256}' else some_hash(90000 + i) end, now(), 'k',
      array['read'], false from generate_series(0, 19) i`)
  edge = await recordedEdge(postgres.databaseUrl)
  // The key is known from here on: its look-up is no part of any list.
  await edge.fetch('/api/keys', { key })
}, 120_000)
afterAll(async () => {
  await edge.stop()
  await postgres.stop()
}, 30_000)

const parameterSchema = z.object({
  name: z.string(),
  in: z.string(),
  schema: z.looseObject({ enum: z.array(z.string()).optional() }).optional(),
})
const schemaSchema = z.looseObject({
  properties: z.record(z.string(), z.unknown()).optional(),
  get anyOf() {
    return z.array(schemaSchema).default([])
  },
  get oneOf() {
    return z.array(schemaSchema).default([])
  },
})
type Schema = z.infer<typeof schemaSchema>
const operationSchema = z.looseObject({
  parameters: z.array(parameterSchema).default([]),
  responses: z.record(z.string(), z.looseObject({ content: z.record(z.string(), z.object({ schema: schemaSchema })).optional() })),
})
const documentSchema = z.object({ paths: z.record(z.string(), z.looseObject({ get: operationSchema.optional() })) })

type List = { path: string; filters: { name: string; values: string[] }[]; isPaged: boolean }

async function lists(): Promise<List[]> {
  const { paths } = documentSchema.parse(await (await edge.fetch('/api/openapi.json')).json())
  return Object.entries(paths).flatMap(([path, { get }]) => {
    if (!get || !hasItems(get.responses['200']?.content?.['application/json']?.schema)) return []
    const query = get.parameters.filter((parameter) => parameter.in === 'query')
    const filters = query
      .filter(({ name }) => name !== 'limit' && name !== 'cursor' && name !== 'days')
      .map(({ name, schema }) => ({ name, values: schema?.enum ?? [sampleOf(path, name)] }))
    const isPaged = ['limit', 'cursor'].every((wanted) => query.some(({ name }) => name === wanted))
    return [{ path, filters, isPaged }]
  })
}

function hasItems(schema: Schema | undefined): boolean {
  if (!schema) return false
  return schema.properties?.['items'] !== undefined || [...schema.anyOf, ...schema.oneOf].some(hasItems)
}

function sampleOf(path: string, name: string): string {
  const sample = samples[name]
  if (sample === undefined) throw new Error(`${path} has the filter ${name}: give it a value among the samples`)
  return sample
}

/** Every choice of filters; of those with a list of values each alone with each value, and with others with its first. */
function choices({ filters }: List): Record<string, string>[] {
  const alone = filters.flatMap(({ name, values }) => values.map((value) => ({ [name]: value })))
  let together: Record<string, string>[] = [{}]
  for (const { name, values } of filters) together = together.flatMap((chosen) => [chosen, { ...chosen, [name]: values[0] ?? '' }])
  return [...alone, ...together.filter((chosen) => Object.keys(chosen).length !== 1)]
}

const planSchema = z.looseObject({
  'Node Type': z.string(),
  'Actual Rows': z.number(),
  'Actual Loops': z.number(),
  'Rows Removed by Filter': z.number().default(0),
  'Rows Removed by Index Recheck': z.number().default(0),
  get Plans() {
    return z.array(planSchema).default([])
  },
})
type Plan = z.infer<typeof planSchema>

const nodesOf = (plan: Plan): Plan[] => [plan, ...plan.Plans.flatMap(nodesOf)]

async function explain({
  query,
  params,
}: RecordedStatement): Promise<{ forbidden: string[]; rowsRead: number; rowsOfNode: number; text: string }> {
  const { rows } = await postgres.client.query(`explain (analyze, timing off, format json) ${query}`, params)
  const nodes = nodesOf(planSchema.parse(rows[0]['QUERY PLAN'][0].Plan))
  // Whatever does not go along an index, or does not keep its order.
  const forbidden = nodes.map((node) => node['Node Type']).filter((type) => /Seq Scan|Bitmap|Sort|Hash|Merge/.test(type))
  const rowsOf = (node: Plan) =>
    (node['Actual Rows'] + node['Rows Removed by Filter'] + node['Rows Removed by Index Recheck']) * node['Actual Loops']
  const scans = nodes.filter((node) => node['Node Type'].startsWith('Index'))
  const rowsRead = scans.reduce((sum, node) => sum + rowsOf(node), 0)
  return { forbidden, rowsRead, rowsOfNode: Math.max(...nodes.map(rowsOf)), text: query }
}

const pageSchema = z.object({ items: z.array(z.unknown()), nextCursor: z.string().nullable() })

test('every list has pages, or is bounded otherwise', async () => {
  const all = await lists()
  expect(all.length).toBeGreaterThan(8)
  expect(all.filter(({ isPaged }) => !isPaged).map(({ path }) => path)).toEqual(Object.keys(whole))
})

test('whatever a list asks of Postgres goes along an index and reads little more than it shows', async () => {
  let walked = 0
  for (const list of (await lists()).filter(({ isPaged }) => isPaged)) {
    for (const chosen of choices(list)) {
      const path = list.path.replace('{id}', parents[list.path] ?? '')
      const url = (cursor?: string) =>
        `${path}?${new URLSearchParams({ ...chosen, limit: `${limit}`, ...(cursor ? { cursor } : {}) }).toString()}`
      const firstPage = await pageAt(url(), chosen)
      const isEmpty = list.path === '/api/dead-letters' && chosen['kind'] === 'message' // messages are the administrator's
      if (Object.keys(chosen).length < 2 && !isEmpty) expect([url(), firstPage.nextCursor]).toEqual([url(), expect.any(String)])
      if (firstPage.nextCursor !== null) await pageAt(url(firstPage.nextCursor), chosen)
      walked++
    }
  }
  console.log(`${walked} choices of filters`)
  expect(walked).toBeGreaterThan(50)
}, 120_000)

async function pageAt(url: string, chosen: Record<string, string>, as = key) {
  edge.take()
  const response = await edge.fetch(url, { key: as })
  expect([url, response.status]).toEqual([url, 200])
  const statements = edge.take().flat()
  expect(statements.length).toBeGreaterThan(0)
  // Words of a search are filters too. Each row that is shown may be joined to a few more.
  const filters = Object.entries(chosen).reduce((count, [name, value]) => count + (name === 'q' ? value.split(' ').length : 1), 0)
  const rowsMax = filters < 2 ? (limit + 1) * 5 : stepsMax * filters + limit + 1
  for (const statement of statements) {
    const { forbidden, rowsRead, text } = await explain(statement)
    expect({ url, forbidden, text }).toEqual({ url, forbidden: [], text })
    expect(rowsRead, `${url}\n${text}`).toBeLessThanOrEqual(rowsMax)
  }
  return pageSchema.parse(await response.json())
}

test("the administrator's list of dead letters is that of all accounts, along an index, too", async () => {
  for (const query of ['', 'kind=message', 'kind=execution', `agent=${first('agt')}`, `kind=submission&agent=${first('agt')}`]) {
    const chosen = Object.fromEntries(new URLSearchParams(query))
    const page = await pageAt(`/api/dead-letters?limit=${limit}&${query}`, chosen, recordedAdminKey)
    expect(page.items.length).toBe(limit)
    await pageAt(`/api/dead-letters?limit=${limit}&${query}&cursor=${page.nextCursor}`, chosen, recordedAdminKey)
  }
})

test('the days of an account are read along an index, and no more of them than are shown', async () => {
  edge.take()
  expect((await edge.fetch('/api/accounts/me/usage?days=90', { key })).status).toBe(200)
  const statements = edge.take().flat()
  expect(statements).toHaveLength(2)
  for (const statement of statements) {
    // As if it were the year in which there are rows.
    const plan = await explain({ ...statement, params: [first('acc'), '2000-05-01'] })
    // So few may be sorted.
    expect(plan.forbidden).not.toContain('Seq Scan')
    expect(plan.rowsOfNode).toBeGreaterThan(50)
    expect(plan.rowsOfNode).toBeLessThanOrEqual(90)
  }
})

test('a search whose words never meet ends each page after a bounded walk, and comes to its end over several', async () => {
  const found: unknown[] = []
  let pages = 0
  let cursor: string | null = null
  do {
    const more: string = cursor === null ? '' : `&cursor=${cursor}`
    const page: z.infer<typeof pageSchema> = await pageAt(`/api/bounties?q=odd+even&limit=${limit}${more}`, { q: 'odd even' })
    found.push(...page.items)
    cursor = page.nextCursor
    pages++
  } while (cursor !== null)
  expect(found).toEqual([expect.objectContaining({ id: first('bty') })])
  expect(pages).toBeGreaterThan(3)
})

test('pages of a filtered list, one after the other, are all that fits, each once, newest first', async () => {
  const { rows } = await postgres.client.query(
    `select id from bounties b where status = 'open' and mode = 'best' and account_id = $1
    and exists (select from bounty_words where word = 'common' and bounty_id = b.id) order by id desc`,
    [first('acc')],
  )
  const seen: unknown[] = []
  let cursor: string | null = null
  do {
    const query = new URLSearchParams({
      status: 'open',
      mode: 'best',
      owner: first('acc'),
      q: 'common',
      limit: '7',
      ...(cursor ? { cursor } : {}),
    })
    const page = pageSchema.parse(await (await edge.fetch(`/api/bounties?${query.toString()}`)).json())
    seen.push(...page.items.map((item) => z.looseObject({ id: z.string() }).parse(item).id))
    cursor = page.nextCursor
  } while (cursor !== null)
  expect(seen.length).toBeGreaterThan(20)
  expect(seen).toEqual(rows.map(({ id }: { id: string }) => id))
})
