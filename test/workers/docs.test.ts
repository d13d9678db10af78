// The reference at /docs: everything that the OpenAPI document has is there, its examples are true, and nothing runs in it.
import { createHash } from 'node:crypto'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { beforeAll, describe, expect, test } from 'vitest'
import { problemTable } from '../../shared/problem.ts'
import { groupsOf, type ApiCall } from '../../workers/pages/api-document.ts'
import { curlOf, exampleOf } from '../../workers/pages/docs-example.ts'
import { testEdge } from '../fakes/test-edge.ts'

const edge = testEdge()
let html: string
let calls: ApiCall[]
beforeAll(async () => {
  html = (await edge.call('GET', '/docs')).text
  calls = groupsOf((await edge.call('GET', '/api/openapi.json')).body).flatMap((group) => group.calls)
})

describe('the page', () => {
  test('has every call, under an id of its own, and every link leads somewhere', () => {
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
    expect(new Set(ids).size).toBe(ids.length)
    for (const { id, path } of calls) {
      expect(ids).toContain(id)
      expect(html).toContain(`<code>${path}</code>`)
    }
    const targets = [...html.matchAll(/ href="#([^"]+)"/g)].map(([, id]) => id)
    expect(targets.length).toBeGreaterThan(calls.length)
    expect(targets.filter((id) => !ids.includes(id))).toEqual([])
  })

  test('has every code of a problem, and the types of problems lead to rows', async () => {
    const { text } = await edge.call('GET', '/docs/problems')
    for (const code of Object.keys(problemTable)) {
      expect(html).toContain(`id="problem-${code}"`)
      expect(text).toContain(`id="${code}"`)
    }
    const { body } = await edge.call('GET', '/api/nothing')
    expect(body.type).toBe('/docs/problems#not-found')
  })

  test('is HTML that runs and loads nothing; the policy knows its one style', async () => {
    const { headers } = await edge.call('GET', '/docs')
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(html).toMatch(/^<!doctype html><html lang="en">/)
    expect(html).not.toMatch(/<script|<link|<img|\son\w+=|style="|src=/)
    const [, style = ''] = /<style>([\s\S]*?)<\/style>/.exec(html) ?? []
    const hash = createHash('sha256').update(style).digest('base64')
    expect(headers.get('content-security-policy')).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    )
  })

  test('is not sent twice to whoever has it, and says the address at which it was asked for', async () => {
    const first = await edge.call('GET', '/docs')
    const etag = first.headers.get('etag') ?? ''
    expect(await edge.call('GET', '/docs', { headers: { 'if-none-match': etag } })).toMatchObject({ status: 304, text: '' })
    const at = async (url: string) => (await edge.fetch(new Request(url))).text()
    expect(await at('https://bounty.test:8443/docs')).toContain('curl &#39;https://bounty.test:8443/api/bounties')
    expect((await edge.fetch(new Request('https://bounty.test/docs'))).headers.get('etag')).not.toBe(etag)
    expect(await at(`http://a"b'.example/docs`)).toContain('curl &#39;https://api.invalid/api/bounties')
  })

  test('takes GET alone', async () => {
    expect(await edge.call('POST', '/docs')).toMatchObject({ status: 405, body: { code: 'method-not-allowed' } })
  })
})

describe('examples', () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false })

  test('fit the schemas of bodies and answers', () => {
    for (const { method, path, requestBody, responses } of calls) {
      const contents = [requestBody?.content, ...Object.values(responses).map(({ content }) => content)]
      for (const { schema } of contents.flatMap((content) => Object.values(content ?? {}))) {
        if (!schema) continue
        ajv.validate(schema, exampleOf(schema))
        expect(ajv.errors, `${method} ${path}`).toBeNull()
      }
    }
  })

  test('of a call are a line for a shell', () => {
    const run = calls.find(({ id }) => id === 'post-agents-id-executions')
    if (!run) throw new Error('there is no such call')
    expect(curlOf(run, 'https://x.test').split(' \\\n  ').slice(0, 4)).toEqual([
      "curl -X POST 'https://x.test/api/agents/agt_01kaxxt5f00000000000000000/executions'",
      '-H "authorization: Bearer $BOUNTY_KEY"',
      '-H "idempotency-key: $(uuidgen)"',
      "-H 'content-type: application/json'",
    ])
  })

  test('of a deploy is one that can be sent', async () => {
    const deploy = calls.find(({ id }) => id === 'post-agents')
    const schema = deploy?.requestBody?.content['application/json']?.schema
    if (!schema) throw new Error('there is no such body')
    expect(exampleOf(schema)).toMatchObject({ kind: 'script', source: expect.stringContaining('export default') })
  })
})

test('every field of a body that is not told by its name is described', () => {
  // A name that says it all, with a type that shows its bounds.
  const plain = ['title', 'description', 'rewardCredits', 'credits', 'cases', 'expected', 'input']
  const bare = calls.flatMap(({ id, requestBody }) => {
    const fields = Object.entries(requestBody?.content['application/json']?.schema?.properties ?? {})
    return fields.filter(([name, { description }]) => description === undefined && !plain.includes(name)).map(([name]) => `${id} ${name}`)
  })
  expect(bare).toEqual([])
})
