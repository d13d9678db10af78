// Postgres through Neon's HTTP driver: one request a statement, or one a transaction of statements known beforehand. Whatever keeps a
// statement from an answer is `database-unavailable`; an error that Postgres itself reports about the statement is the caller's to read.
import { neon, NeonDbError, neonConfig } from '@neondatabase/serverless'
import type { z } from 'zod'
import { ProblemError } from '../../shared/problem.ts'

/** The platform's published bound on a query. */
const queryMsMax = 30_000

export type Statement = { text: string; parameters: (string | number | boolean | null)[] }

export type Database = {
  /** @throws ProblemError `database-unavailable`; PostgresError */
  query<T extends z.ZodType>(row: T, statement: Statement, options?: { timeoutMs: number }): Promise<z.infer<T>[]>
  /** All or none, in order. @returns the rows of each */
  transaction(statements: Statement[]): Promise<unknown[][]>
}

/** Postgres refused a statement; `code` is its SQLSTATE. */
export class PostgresError extends Error {
  readonly code: string
  readonly constraint: string | undefined

  constructor(code: string, options: { message: string; constraint: string | undefined; cause: unknown }) {
    super(options.message, { cause: options.cause })
    this.name = 'PostgresError'
    this.code = code
    this.constraint = options.constraint
  }
}

export type NeonOptions = {
  url: string
  /** Where the HTTP protocol is spoken when that is not Neon itself. */
  endpoint?: string | undefined
}

export function neonDatabase({ url, endpoint }: NeonOptions): Database {
  if (endpoint) neonConfig.fetchEndpoint = endpoint
  const sql = neon(url)
  return {
    async query(row, { text, parameters }, { timeoutMs } = { timeoutMs: queryMsMax }) {
      const rows = await translated(() => sql.query(text, parameters, { fetchOptions: { signal: AbortSignal.timeout(timeoutMs) } }))
      return rows.map((found) => row.parse(found))
    },
    async transaction(statements) {
      const signal = AbortSignal.timeout(queryMsMax)
      return translated(() =>
        sql.transaction(
          statements.map(({ text, parameters }) => sql.query(text, parameters)),
          { isolationLevel: 'ReadCommitted', fetchOptions: { signal } },
        ),
      )
    },
  }
}

async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof NeonDbError ? translate(error) : unavailable(error)
  }
}

function translate(error: NeonDbError): Error {
  const { code, message, constraint } = error
  // Class 08: connection; 53: out of resources; 57: the server is going away or cancelled us; 28: it does not know us.
  // No code: the error is the driver's own, about an answer that was none.
  if (!code || /^(08|53|57|28)/.test(code)) return unavailable(error)
  return new PostgresError(code, { message, constraint, cause: error })
}

function unavailable(cause: unknown): ProblemError {
  return new ProblemError('database-unavailable', {
    detail: 'the database did not answer; the request may be repeated',
    retryAfterSeconds: 1,
    internal: cause instanceof Error ? cause.message : String(cause),
    cause,
  })
}

/** SQLSTATE of a broken unique constraint: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const uniqueViolation = '23505'

/** SQLSTATE class of broken constraints. */
const integrityViolation = /^23/

/** A check or a foreign key, by its name. */
export function isViolation(error: unknown, constraint: string): boolean {
  return error instanceof PostgresError && integrityViolation.test(error.code) && error.constraint === constraint
}

export function isUniqueViolation(error: unknown, constraint: string): boolean {
  return error instanceof PostgresError && error.code === uniqueViolation && error.constraint === constraint
}
