// Examples made from schemas: what is said to be an example, else the default, else the plainest value that fits.
import type { ApiCall, Schema } from './api-document.ts'

export function exampleOf(schema: Schema): unknown {
  if (schema.contentSchema) return JSON.stringify(exampleOf(schema.contentSchema))
  if (schema.example !== undefined) return schema.example
  if (schema.default !== undefined) return schema.default
  if (schema.enum) return schema.enum[0]
  const part = schema.anyOf?.[0] ?? schema.oneOf?.[0]
  if (part) return exampleOf(part)
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type
  if (type === 'object') {
    return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, property]) => [name, exampleOf(property)]))
  }
  if (type === 'array') return schema.items ? [exampleOf(schema.items)] : []
  if (type === 'boolean') return true
  if (type === 'integer' || type === 'number') return schema.minimum ?? (schema.exclusiveMinimum ?? 0) + 1
  if (type === 'string') return exampleText(schema)
  return 'any JSON'
}

function exampleText({ format, pattern }: Schema): string {
  if (format === 'date-time') return '2026-01-31T12:00:00Z'
  if (format === 'date') return '2026-01-31'
  if (format === 'uri') return 'https://example.com/hook'
  const digits = /^\^\[0-9a-f\]\{(\d+)\}\$$/.exec(pattern ?? '')?.[1]
  if (digits !== undefined) return '9f86d081884c7d65'.repeat(8).slice(0, Number(digits))
  return 'text'
}

export function exampleJson(schema: Schema): string {
  return JSON.stringify(exampleOf(schema), undefined, 2)
}

/** A line for a shell. */
export function curlOf({ method, path, parameters, requestBody, security }: ApiCall, origin: string): string {
  const place = (name: string) => parameters.filter((parameter) => parameter.in === name)
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const parameter = place('path').find((one) => one.name === name)
    return parameter ? String(exampleOf(parameter.schema)) : name
  })
  const query = place('query').flatMap(({ name, schema, required }) =>
    required || schema.default !== undefined ? [`${name}=${encodeURIComponent(String(exampleOf(schema)))}`] : [],
  )
  const address = `${origin}${filled}${query.length > 0 ? `?${query.join('&')}` : ''}`
  const body = requestBody?.content['application/json']?.schema
  const parts = [
    `curl ${method === 'GET' ? '' : `-X ${method} `}'${address}'`,
    ...(security.length > 0 ? [`-H "authorization: Bearer $BOUNTY_KEY"`] : []),
    ...(method === 'POST' && security.length > 0 ? [`-H "idempotency-key: $(uuidgen)"`] : []),
    ...(body ? [`-H 'content-type: application/json'`, `-d '${exampleJson(body).replaceAll("'", String.raw`'\''`)}'`] : []),
  ]
  return parts.join(' \\\n  ')
}
