// The types of the client are those of the document that the API answers with. `npm run build:client` writes them anew.
import { resolveConfig } from 'prettier'
import { expect, test } from 'vitest'
import { apiCalls } from '../../local/api-calls.ts'
import { testEdge } from '../fakes/test-edge.ts'

const file = `${import.meta.dirname}/../../client/calls.ts`
const formatOptions = (await resolveConfig(file)) ?? {}

test('client/calls.ts is what the OpenAPI document says', async () => {
  const { body } = await testEdge().call('GET', '/api/openapi.json')
  await expect(await apiCalls(body, formatOptions)).toMatchFileSnapshot(file)
})

test('the same document gives the same bytes', async () => {
  const { body } = await testEdge().call('GET', '/api/openapi.json')
  expect(await apiCalls(structuredClone(body), formatOptions)).toBe(await apiCalls(body, formatOptions))
})

test.each([
  [
    { type: 'object', properties: { a: { type: 'integer' }, 'b-c': { type: ['string', 'null'] } }, required: ['a'] },
    '{ a: number; "b-c"?: string | null | undefined }',
  ],
  [{ type: 'array', items: { enum: ['x', 1] } }, '("x" | 1)[]'],
  [{ anyOf: [{ type: 'boolean' }, { type: 'object', additionalProperties: { type: 'number' } }] }, 'boolean | Record<string, number>'],
  [{ allOf: [{ type: 'object' }, {}] }, 'Record<string, unknown> & unknown'],
])('a schema %j', async (schema, type) => {
  const text = await apiCalls(documentOf(schema), { semi: false, printWidth: 140 })
  expect(text).toContain(`answer: ${type}\n`)
})

test('what may answer something else than JSON has no answer', async () => {
  const schema = { type: 'string' }
  const responses = { 200: { content: { 'text/event-stream': { schema } } }, 204: {} }
  expect(await apiCalls({ paths: { '/a': { get: { summary: 'A', responses } } } }, {})).not.toContain('answer:')
})

test('what is not understood is refused', async () => {
  await expect(apiCalls(documentOf({ $ref: '#/components/schemas/A' }), {})).rejects.toThrow(/references are not resolved/)
  await expect(apiCalls(documentOf({ type: 'date' }), {})).rejects.toThrow(/"date"/)
})

function documentOf(schema: unknown) {
  return { paths: { '/a': { get: { summary: 'A', responses: { 200: { content: { 'application/json': { schema } } } } } } } }
}
