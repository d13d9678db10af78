// Programs that cannot be what they are sent as, or are too large; the largest that is taken is in routes.test.ts.
import { beforeAll, expect, test } from 'vitest'
import { limits } from '../../shared/tiers.ts'
import { testEdge, type CallOptions } from '../fakes/test-edge.ts'

const edge = testEdge()
let key: string
beforeAll(async () => {
  key = (await edge.account('ada')).key
})

const { programBytesMax } = limits
const sent = (kind: string, source: string): CallOptions => ({ body: { name: 'x', kind, source } })
const base64 = (bytes: number) => Buffer.alloc(bytes).toString('base64')
const tooLarge = /the program is 16777217 bytes; at most 16777216 are allowed/

type Bad = [name: string, options: CallOptions, status: number, code: string, says: RegExp]
const table: Bad[] = [
  [
    'a command that is not base64',
    sent('command', '~~~'),
    400,
    'invalid-request',
    /source has 3 characters.*a command is given as the base64/,
  ],
  ['a component that is not base64', sent('component', '~~~'), 400, 'invalid-request', /a component is given as the base64/],
  ['a component of nothing', sent('component', ' '), 400, 'invalid-request', /base64 of nothing; a component/],
  [
    'a script in a mode that there is not',
    { body: { name: 'x', kind: 'script', source: 'x', scriptMode: 'fast' } },
    400,
    'invalid-request',
    /scriptMode is "fast"; must be one of .*interpreted.*compiled/,
  ],
  [
    'a command in a mode of scripts',
    { body: { name: 'x', kind: 'command', source: base64(8), scriptMode: 'compiled' } },
    400,
    'invalid-request',
    /scriptMode is "compiled"; a command has none/,
  ],
  ['a script over the limit', sent('script', 'x'.repeat(programBytesMax + 1)), 413, 'body-too-large', tooLarge],
  ['a command over the limit', sent('command', base64(programBytesMax + 1)), 413, 'body-too-large', tooLarge],
  ['a component over the limit', sent('component', base64(programBytesMax + 1)), 413, 'body-too-large', tooLarge],
  [
    'a body that no program fills',
    { raw: ' '.repeat(Math.ceil((programBytesMax * 4) / 3) + 65_537) },
    413,
    'body-too-large',
    /at most 22435158 bytes/,
  ],
]

test.each(table)('%s is answered clearly', async (_, options, status, code, says) => {
  const answer = await edge.call('POST', '/api/agents', { key, ...options })
  expect([answer.status, answer.body.code]).toEqual([status, code])
  expect(answer.body.detail).toMatch(says)
})
