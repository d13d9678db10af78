// The OpenAPI document as the pages read it: the parts that a reference shows.
import { z } from 'zod'

const looseSchema = z.looseObject({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  format: z.string().optional(),
  pattern: z.string().optional(),
  description: z.string().optional(),
  example: z.unknown().optional(),
  default: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  minimum: z.number().optional(),
  exclusiveMinimum: z.number().optional(),
  maximum: z.number().optional(),
  minLength: z.number().optional(),
  maxLength: z.number().optional(),
  minItems: z.number().optional(),
  maxItems: z.number().optional(),
  required: z.array(z.string()).optional(),
  contentMediaType: z.string().optional(),
  get contentSchema() {
    return looseSchema.optional()
  },
  get properties() {
    return z.record(z.string(), looseSchema).optional()
  },
  get items() {
    return looseSchema.optional()
  },
  get anyOf() {
    return z.array(looseSchema).optional()
  },
  get oneOf() {
    return z.array(looseSchema).optional()
  },
})
export type Schema = z.infer<typeof looseSchema>

const contentSchema = z.record(z.string(), z.object({ schema: looseSchema.optional() }))
const operationSchema = z.object({
  summary: z.string(),
  security: z.array(z.record(z.string(), z.array(z.string()))).default([]),
  parameters: z
    .array(z.object({ name: z.string(), in: z.string(), required: z.boolean().default(false), schema: looseSchema }))
    .default([]),
  requestBody: z.object({ content: contentSchema }).optional(),
  responses: z.record(z.string(), z.object({ description: z.string(), content: contentSchema.default({}) })),
})
type Operation = z.infer<typeof operationSchema>
const documentSchema = z.object({ paths: z.record(z.string(), z.record(z.string(), operationSchema)) })

/** One call of the API; `id` is its place on the page. */
export type ApiCall = Operation & { id: string; method: string; path: string }
export type ApiGroup = { id: string; title: string; calls: ApiCall[] }

/** Groups that stand first, in this order; any other is named after its path and follows. */
const known: [segment: string, title: string][] = [
  ['bounties', 'Bounties'],
  ['submissions', 'Submissions'],
  ['agents', 'Agents'],
  ['executions', 'Executions'],
  ['leaderboard', 'Leaderboard'],
  ['accounts', 'Accounts'],
  ['keys', 'Keys'],
  ['webhooks', 'Webhooks'],
  ['receipt-keys', 'Receipt keys'],
]
const statusSegments = ['health', 'ready', 'metrics', 'openapi.json']

export function groupsOf(document: unknown): ApiGroup[] {
  const groups = new Map<string, ApiGroup>()
  for (const [path, operations] of Object.entries(documentSchema.parse(document).paths)) {
    const segment = path.split('/')[2] ?? ''
    const id = statusSegments.includes(segment) ? 'status' : segment
    const group = groups.get(id) ?? { id, title: known.find(([name]) => name === id)?.[1] ?? titleOf(id), calls: [] }
    groups.set(id, group)
    for (const [method, operation] of Object.entries(operations)) {
      const callId = `${method}-${path.replace('/api/', '').replaceAll(/[^a-z0-9]+/gi, '-')}`.replace(/-$/, '')
      group.calls.push({ ...operation, id: callId, method: method.toUpperCase(), path })
    }
  }
  const place = ({ id }: ApiGroup) => {
    const found = known.findIndex(([name]) => name === id)
    return id === 'status' ? Infinity : found < 0 ? known.length : found
  }
  return [...groups.values()].toSorted((a, b) => place(a) - place(b))
}

function titleOf(segment: string): string {
  return segment.charAt(0).toUpperCase() + segment.slice(1).replaceAll('-', ' ')
}
