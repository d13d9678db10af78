// One page of a list, newest first, in one statement that reads little more than it shows. Each filter is an index that ends in the id; filters
// that come together are intersected by walking their indexes side by side, each going on where the one before has stopped:
//
//   status = open   9 8 . 6 5 . 3      from 9: owner has 7 next ─▶ status has 6 ─▶ owner has 6: a match; on behind 6
//   owner = acc_…   . . 7 6 . 4 3
//
// So a rare filter carries the common ones along. A walk of `stepsMax` steps ends the page early, and says where to go on.
import { z } from 'zod'
import type { Listed } from '../../shared/ports.ts'
import type { Database, Statement } from './neon.ts'

/** What one page may cost at most: each step looks once into the index of each filter. */
export const stepsMax = 1_000
/** Ids are lower-case letters, digits and `_`, all of one length: this is behind each of them, and an id with anything appended is just behind that id. */
export const behindAll = '~'

/** An index whose columns are those of `where`, all of them compared for equality, and then the id. */
export type KeysetFilter = { table: string; id?: string; where: Record<string, string> }

export type KeysetPage<T extends z.ZodType> = {
  row: T
  table: string
  columns: string
  filters: KeysetFilter[]
  limit: number
  after: string | undefined
}

export async function keysetPage<T extends z.ZodType>(database: Database, page: KeysetPage<T>): Promise<Listed<z.infer<T>>> {
  const [only, ...others] = page.filters
  const isPlain = others.length === 0 && (only === undefined || only.table === page.table)
  if (isPlain) return { items: await database.query(page.row, plainStatement(page, only)) }
  const walked = await database.query(walkedSchema, walkStatement(page))
  const items = walked.filter(({ item }) => item !== null).map(({ item }) => page.row.parse(item))
  const last = walked.at(-1)
  const isCut = last?.step === stepsMax && items.length < page.limit
  return { items, ...(isCut ? { goOnAfter: last.bound } : {}) }
}

/** Filters of a list that shows one account its own: each is an index that begins with the account. */
export function ownFilters(table: string, accountId: string, wanted: Record<string, string | undefined>): KeysetFilter[] {
  const set = Object.entries(wanted).flatMap(([column, value]) => (value === undefined ? [] : [{ [column]: value }]))
  return (set.length > 0 ? set : [{}]).map((where) => ({ table, where: { account_id: accountId, ...where } }))
}

function plainStatement(
  { table, columns, limit, after = behindAll }: KeysetPage<z.ZodType>,
  filter: KeysetFilter = { table, where: {} },
): Statement {
  const parameters = new Parameters()
  const way = along(filter, { parameters, bound: `< ${parameters.add(after)}` })
  return { text: `select ${columns} from ${table} ${way} limit ${parameters.add(limit)}`, parameters: parameters.values }
}

const walkedSchema = z
  .looseObject({ walk_step: z.number(), walk_bound: z.string(), walk_id: z.string().nullable() })
  .transform(({ walk_step, walk_bound, walk_id, ...item }) => ({
    step: walk_step,
    bound: walk_bound,
    item: walk_id === null ? null : item,
  }))

function walkStatement({ table, columns, filters, limit, after = behindAll }: KeysetPage<z.ZodType>): Statement {
  const parameters = new Parameters()
  const start = parameters.add(after)
  const wanted = parameters.add(limit)
  const hops = filters.map((filter, i) => {
    const way = along(filter, { parameters, bound: i === 0 ? '< w.bound' : `<= f${i - 1}.at` })
    return `cross join lateral (select ${filter.id ?? 'id'} as at from ${filter.table} ${way} limit 1) f${i}`
  })
  const last = `f${filters.length - 1}`
  // `offset 0` keeps the rows in the order of the walk: they are fetched one by one, never joined in bulk and sorted.
  const text = `with recursive walk (step, found, id, bound) as (
      select 0, 0, null::text collate "C", ${start}::text collate "C"
      union all
      select w.step + 1, w.found + (f0.at = ${last}.at)::integer, case when f0.at = ${last}.at then ${last}.at end,
        case when f0.at = ${last}.at then ${last}.at else ${last}.at || '0' end
      from walk w ${hops.join('\n')}
      where w.step < ${stepsMax} and w.found < ${wanted}::integer
    )
    select w.step as walk_step, w.bound as walk_bound, w.id as walk_id, t.* from walk w
    left join lateral (select ${columns} from ${table} where id = w.id offset 0) t on true
    where w.id is not null or w.step = ${stepsMax}`
  return { text, parameters: parameters.values }
}

/**
 * Backwards along the filter's index, from the bound to the end of what is equal. Said as bounds of rows: with `column = value` the planner may
 * walk the primary key instead, and look for the few that fit among all there are.
 * @param bound what the id is compared with
 */
function along({ id = 'id', where }: KeysetFilter, { parameters, bound }: { parameters: Parameters; bound: string }): string {
  const columns = Object.keys(where)
  const values = Object.values(where).map((value) => parameters.add(value))
  const [comparison = '', limit = ''] = bound.split(' ')
  const upper = `(${[...columns, id].join(', ')}) ${comparison} (${[...values, limit].join(', ')})`
  const lower = columns.length > 0 ? `and (${columns.join(', ')}) >= (${values.join(', ')})` : ''
  return `where ${upper} ${lower} order by ${[...columns, id].map((column) => `${column} desc`).join(', ')}`
}

class Parameters {
  readonly values: Statement['parameters'] = []

  /** @returns how the text names it */
  add(value: string | number): string {
    this.values.push(value)
    return `$${this.values.length}`
  }
}
