// TypeScript types of every call of the API, made from its OpenAPI document: `client/calls.ts`. Only what changes a type is read; a schema that
// says what this file does not know is an error and not an `unknown` that nobody notices.
import { format } from 'prettier'
import { z } from 'zod'

type Schema = {
  type?: string | string[] | undefined
  enum?: unknown[] | undefined
  properties?: Record<string, Schema> | undefined
  required?: string[] | undefined
  additionalProperties?: boolean | Schema | undefined
  items?: Schema | undefined
  anyOf?: Schema[] | undefined
  oneOf?: Schema[] | undefined
  allOf?: Schema[] | undefined
}

const schemaSchema: z.ZodType<Schema> = z.lazy(() =>
  z.looseObject({
    type: z.union([z.string(), z.array(z.string())]).optional(),
    enum: z.array(z.unknown()).optional(),
    properties: z.record(z.string(), schemaSchema).optional(),
    required: z.array(z.string()).optional(),
    additionalProperties: z.union([z.boolean(), schemaSchema]).optional(),
    items: schemaSchema.optional(),
    anyOf: z.array(schemaSchema).optional(),
    oneOf: z.array(schemaSchema).optional(),
    allOf: z.array(schemaSchema).optional(),
    $ref: z.undefined({ error: 'references are not resolved: schemas are inline' }).optional(),
  }),
)
const contentSchema = z.record(z.string(), z.object({ schema: schemaSchema.optional() }))
const operationSchema = z.object({
  summary: z.string(),
  parameters: z
    .array(z.object({ name: z.string(), in: z.string(), required: z.boolean().default(false), schema: schemaSchema }))
    .default([]),
  requestBody: z.object({ content: contentSchema }).optional(),
  responses: z.record(z.string(), z.object({ content: contentSchema.optional() })),
})
type Operation = z.infer<typeof operationSchema>
const documentSchema = z.object({ paths: z.record(z.string(), z.record(z.string(), operationSchema)) })

const head = `// Made from the OpenAPI document by local/api-calls.ts: \`npm run build:client\` writes it, test/client/calls.test.ts says when it is stale.
// A call is named as the reference names it. \`answer\` is that of a success; calls that answer something else than JSON have none.

`

/** @param document OpenAPI 3.1 @returns a module, as the formatter wants it */
export async function apiCalls(document: unknown, formatOptions: object): Promise<string> {
  const { paths } = documentSchema.parse(document)
  const calls = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, path, operation })),
  )
  // Neighbours in the document move when a route moves in the code; names do not.
  const sorted = calls.toSorted((a, b) => (a.path + a.name < b.path + b.name ? -1 : 1))
  const entries = sorted.map(({ name, operation }) => callOf(name, operation))
  return format(`${head}export interface Calls {\n${entries.join('\n')}\n}\n`, { ...formatOptions, parser: 'typescript' })
}

function callOf(name: string, { summary, parameters, requestBody, responses }: Operation): string {
  const fields = [parametersOf(parameters, 'path'), parametersOf(parameters, 'query')]
  const body = requestBody?.content['application/json']?.schema
  if (body) fields.push(`body: ${typeOf(body)}`)
  const answer = answerOf(responses)
  if (answer !== undefined) fields.push(`answer: ${answer}`)
  return `/** ${summary} */\n${JSON.stringify(name)}: {\n${fields.filter(Boolean).join('\n')}\n}`
}

function parametersOf(parameters: Operation['parameters'], place: 'path' | 'query'): string {
  const here = parameters.filter((parameter) => parameter.in === place)
  if (here.length === 0) return ''
  const isOptional = here.every(({ required }) => !required)
  const fields = here.map(({ name, required, schema }) => fieldOf(name, typeOf(schema), required))
  return `${place === 'path' ? 'params' : 'query'}${isOptional ? '?' : ''}: {${fields.join('; ')}}`
}

function answerOf(responses: Operation['responses']): string | undefined {
  const good = Object.entries(responses).filter(([status]) => /^2\d\d$/.test(status))
  const types = good.map(([, { content }]) => {
    const json = content?.['application/json']?.schema
    return content === undefined ? 'undefined' : json && typeOf(json)
  })
  return types.includes(undefined) ? undefined : [...new Set(types)].join(' | ')
}

function typeOf(schema: Schema): string {
  const { type, enum: values, anyOf, oneOf, allOf } = schema
  if (values) return values.map((value) => JSON.stringify(value)).join(' | ')
  const parts = anyOf ?? oneOf
  if (parts) return parts.map(typeOf).join(' | ')
  if (allOf) return allOf.map((part) => `(${typeOf(part)})`).join(' & ')
  if (type === undefined) return 'unknown'
  return (Array.isArray(type) ? type : [type]).map((name) => namedType(name, schema)).join(' | ')
}

function namedType(name: string, { items, properties, required = [], additionalProperties }: Schema): string {
  if (name === 'array') return items ? `(${typeOf(items)})[]` : 'unknown[]'
  if (name === 'integer') return 'number'
  if (['string', 'number', 'boolean', 'null'].includes(name)) return name
  if (name !== 'object') throw new Error(`type ${JSON.stringify(name)} of a schema is none that JSON has`)
  if (properties) {
    return `{${Object.entries(properties)
      .map(([field, schema]) => fieldOf(field, typeOf(schema), required.includes(field)))
      .join('; ')}}`
  }
  return `Record<string, ${typeof additionalProperties === 'object' ? typeOf(additionalProperties) : 'unknown'}>`
}

/** An optional field takes undefined, too: JSON has none. */
function fieldOf(name: string, type: string, isRequired: boolean): string {
  return `${/^\w+$/.test(name) ? name : JSON.stringify(name)}${isRequired ? '' : '?'}: ${type}${isRequired || type === 'unknown' ? '' : ' | undefined'}`
}
