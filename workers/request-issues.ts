// Says what is wrong with a request, in the caller's words: which field, what stands there (when it is short), and what may stand there.
import { z } from 'zod'
import { ProblemError, type ProblemIssue } from '../shared/problem.ts'

/** Enough to see the pattern; a thousand mistakes are not answered with a thousand lines. */
const issuesMax = 20
/** Longer values are not quoted back. */
const quotedCharactersMax = 64

/** @throws ProblemError `invalid-request` with every field that is wrong */
export function parseWith<T extends z.ZodType>(schema: T, value: unknown): z.infer<T> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issues = result.error.issues.flatMap((issue) => issuesOf(issue, { schema, value })).slice(0, issuesMax)
  throw invalidRequest(issues)
}

export function invalidRequest(issues: ProblemIssue[]): ProblemError {
  const detail = issues.map(({ field, message }) => `${field} ${message}`).join('; ')
  return new ProblemError('invalid-request', { detail: detail.slice(0, 1_000), issues })
}

function issuesOf(issue: z.core.$ZodIssue, { schema, value }: { schema: z.ZodType; value: unknown }): ProblemIssue[] {
  const at = issue.path.map(String)
  if (issue.code === 'unrecognized_keys') {
    const allowed = fieldsAt(schema, issue.path)
    const message = `is not a known field${allowed.length > 0 ? `; allowed are ${allowed.join(', ')}` : ''}`
    return issue.keys.map((key) => ({ field: [...at, key.slice(0, quotedCharactersMax)].join('.'), message }))
  }
  const found = valueAt(value, issue.path)
  const field = at.join('.') || 'body'
  if (found === undefined) return [{ field, message: `is missing; ${allowedBy(issue)}` }]
  return [{ field, message: `${described(found)}; ${allowedBy(issue)}` }]
}

function allowedBy(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${article(issue.expected)}`
    case 'invalid_value':
      return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}`
    case 'too_small':
      return `must be ${unitOf(issue.origin)}at least ${String(issue.minimum)}`
    case 'too_big':
      return `must be ${unitOf(issue.origin)}at most ${String(issue.maximum)}`
    case 'invalid_format':
      if (issue.format === 'datetime') return 'must be an instant in UTC such as 2000-01-01T00:00:00Z'
      return issue.message.startsWith('must') ? issue.message : `must have the form ${issue.pattern ?? issue.format}`
    default:
      return issue.message
  }
}

function unitOf(origin: string): string {
  if (origin === 'string') return 'of a length of '
  return origin === 'array' ? 'a list whose length is ' : ''
}

function article(type: string): string {
  if (type === 'int') return 'a whole number'
  return `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`
}

/** Short scalars are quoted, all else is described by its type and size. */
function described(value: unknown): string {
  if (typeof value === 'string' && value.length > quotedCharactersMax) return `has ${value.length} characters`
  if (Array.isArray(value)) return `is a list of ${value.length}`
  if (typeof value === 'object' && value !== null) return 'is an object'
  return `is ${JSON.stringify(value)}`
}

function valueAt(value: unknown, path: PropertyKey[]): unknown {
  let here = value
  for (const key of path) {
    if (typeof here !== 'object' || here === null) return undefined
    here = new Map<PropertyKey, unknown>(Object.entries(here)).get(String(key))
  }
  return here
}

/** Names of the fields that the schema has at `path`; empty where that is no object. */
function fieldsAt(schema: unknown, path: PropertyKey[]): string[] {
  let here = schema
  for (const key of path) {
    here = unwrapped(here)
    if (here instanceof z.ZodArray) here = here.element
    else if (here instanceof z.ZodObject) here = here.shape[String(key)]
    else return []
  }
  const object = unwrapped(here)
  return object instanceof z.ZodObject ? Object.keys(object.shape) : []
}

function unwrapped(schema: unknown): unknown {
  let here = schema
  while (here instanceof z.ZodOptional || here instanceof z.ZodDefault || here instanceof z.ZodNullable) here = here.unwrap()
  return here
}
