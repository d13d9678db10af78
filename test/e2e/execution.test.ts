import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, test, vi } from 'vitest'
import { jcoComponent } from '../fixtures/components/jco-component.ts'
import { eventually } from '../fakes/eventually.ts'
import { call, deployCommand, deployComponent, deployScript, newAccount, run } from './caller.ts'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

describe('a script', () => {
  test('is deployed as TypeScript, runs, and answers with output, logs and usage', async () => {
    const agentId = await deployScript(`
      interface Input { words: string[] }
      export default async ({ words }: Input): Promise<{ count: number; first: string }> => {
        console.log('counting', words.length)
        console.error('careful')
        return { count: words.length, first: words[0] as string }
      }`)
    const { status, body } = await run(agentId, { words: ['a', 'b'] })
    expect(status).toBe(200)
    expect(body).toMatchObject({ agentId, version: 1, status: 'completed', output: { count: 2, first: 'a' }, tier: 'basic', seed: 0 })
    expect(body.logs).toEqual({ stdout: 'counting 2\n', stderr: 'careful\n', truncated: false })
    expect(body.usage.fuel).toBeGreaterThan(1_000)
    expect(body.usage.memoryBytesPeak).toBeGreaterThan(64 * 1024)
  })

  test('finds its execution and its artifact at once, and the bytes are those that were written', async () => {
    const agentId = await deployScript(`export default (input, context) => {
      context.artifact('report.txt', 'héllo ' + input)
      context.artifact('raw/bytes.bin', new Uint8Array([0, 255, 128]))
      return null
    }`)
    const { body: outcome } = await run(agentId, 'world')
    const read = await call('GET', `/api/executions/${outcome.id}`)
    expect(read.status).toBe(200)
    expect(read.body).toEqual(outcome)
    expect(outcome.artifacts.map((artifact: { name: string }) => artifact.name)).toEqual(['report.txt', 'raw/bytes.bin'])

    const text = await call('GET', `/api/executions/${outcome.id}/artifacts/report.txt`)
    expect(text.status).toBe(200)
    expect(new TextDecoder().decode(text.bytes)).toBe('héllo world')
    expect(sha256(text.bytes)).toBe(outcome.artifacts[0].sha256)
    const raw = await call('GET', `/api/executions/${outcome.id}/artifacts/raw/bytes.bin`)
    expect([...raw.bytes]).toEqual([0, 255, 128])
    const part = await call('GET', `/api/executions/${outcome.id}/artifacts/report.txt`, { headers: { range: 'bytes=7-8' } })
    expect(part.status).toBe(206)
    expect(new TextDecoder().decode(part.bytes)).toBe('wo')
  })

  test('leaves an artifact over 1 MiB as an object of its own: read at once, by ranges, and at a URL when it is in the bucket', async () => {
    const agentId = await deployScript(`export default (input, context) => {
      context.artifact('large.bin', new Uint8Array(input).map((_, i) => i * 7))
      context.artifact('small.txt', 'small')
      return null
    }`)
    const { body: outcome } = await run(agentId, 1_500_000)
    expect(outcome).toMatchObject({ status: 'completed', artifacts: [{ name: 'large.bin', bytes: 1_500_000 }, { name: 'small.txt' }] })
    const path = `/api/executions/${outcome.id}/artifacts/large.bin`
    const whole = await call('GET', path)
    expect(sha256(whole.bytes)).toBe(outcome.artifacts[0].sha256)
    const part = await call('GET', path, { headers: { range: 'bytes=1499990-' } })
    expect([part.status, ...part.bytes]).toEqual([206, ...whole.bytes.slice(-10)])
    const head = await call('HEAD', path)
    expect([head.status, head.bytes.length, head.headers.get('content-length')]).toEqual([200, 0, '1500000'])
    const urls = `/api/executions/${outcome.id}/artifact-urls`
    await eventually(async () => (await call('GET', `${urls}/large.bin`)).status, 200)
    const { body: signed } = await call('GET', `${urls}/large.bin`)
    // From the bucket itself, without a key.
    const response = await fetch(signed.url)
    expect([response.status, response.headers.get('content-disposition')]).toEqual([200, 'attachment'])
    expect(sha256(new Uint8Array(await response.arrayBuffer()))).toBe(outcome.artifacts[0].sha256)
    expect((await fetch(signed.url.replace('/0?', '/1?'))).status).toBe(403)
    expect((await call('GET', `${urls}/small.txt`)).body.code).toBe('not-presignable')
    // By now through the bucket.
    expect(sha256((await call('GET', path)).bytes)).toBe(outcome.artifacts[0].sha256)
  })

  test('repeats byte for byte and fuel for fuel with the same seed, and differs with another', async () => {
    const agentId = await deployScript(`export default () => [Math.random(), Date.now(), Math.random()]`)
    const options = { seed: 7, startTime: '2020-05-01T10:00:00Z' }
    const [a, b, c] = [
      await run(agentId, null, options),
      await run(agentId, null, options),
      await run(agentId, null, { ...options, seed: 8 }),
    ]
    expect(a.body.output).toEqual(b.body.output)
    expect(a.body.usage.fuel).toBe(b.body.usage.fuel)
    expect(c.body.output[0]).not.toBe(a.body.output[0])
    expect(Math.abs(a.body.output[1] - Date.parse('2020-05-01T10:00:00Z'))).toBeLessThan(1_000)
  })

  test('sees nothing that an earlier run left behind', async () => {
    const agentId = await deployScript(
      `let runs = 0; export default () => { globalThis.seen = (globalThis.seen ?? 0) + 1; return [++runs, globalThis.seen] }`,
    )
    for (let i = 0; i < 3; i++) expect((await run(agentId, null)).body.output).toEqual([1, 1])
  })

  test('runs the version that is asked for, the latest when none is', async () => {
    const agentId = await deployScript(`export default () => 'one'`)
    const second = await call('POST', `/api/agents/${agentId}/versions`, { body: { source: `export default () => 'two'` } })
    expect(second.status).toBe(201)
    expect(second.body.version).toBe(2)
    expect((await run(agentId, null)).body.output).toBe('two')
    expect((await run(agentId, null, { version: 1 })).body.output).toBe('one')
  })
})

describe('a command', () => {
  test('reads its input on stdin and answers on stdout', async () => {
    const deployed = await deployCommand('echo.wasm')
    expect(deployed.status).toBe(201)
    const { status, body } = await run(deployed.body.id, { deep: [1, 'two', null] })
    expect(status).toBe(200)
    expect(body).toMatchObject({ status: 'completed', output: { deep: [1, 'two', null] } })
  })

  test('leaves the files it writes under /out as artifacts', async () => {
    const deployed = await deployCommand('file-writer.wasm')
    const { body } = await run(deployed.body.id, null)
    expect(body).toMatchObject({ status: 'completed', output: null, artifacts: [{ name: 'note.txt', bytes: 18 }] })
    const artifact = await call('GET', `/api/executions/${body.id}/artifacts/note.txt`)
    expect(new TextDecoder().decode(artifact.bytes)).toBe('made by a command\n')
  })
})

describe('a component', () => {
  test('that jco made of JavaScript is deployed as it is, answers, logs, and repeats by its receipt', async () => {
    const deployed = await deployComponent(await jcoComponent())
    expect([deployed.status, deployed.body.kind]).toEqual([201, 'component'])
    expect(deployed.body.bytes).toBeGreaterThan(11_000_000)
    const [first, again] = [await run(deployed.body.id, { text: 'a b a' }), await run(deployed.body.id, { text: 'a b a' })]
    expect(first.body).toMatchObject({ status: 'completed', output: { words: { a: 2, b: 1 }, saw: null } })
    expect(first.body.logs).toEqual({ stdout: 'counting 5\n', stderr: 'careful\n', truncated: false })
    expect(again.body.usage.fuel).toBe(first.body.usage.fuel)
    expect(first.body.receipt.statement).toMatchObject({ program: { kind: 'component', sha256: deployed.body.sha256 } })
    expect((await run(deployed.body.id, {})).body).toMatchObject({ status: 'threw', error: { message: 'the input has no text' } })
    // Made when it is not in the cache, compiled by the host: half a minute each on two busy cores.
  }, 300_000)

  test('of Rust gets its next version, and a bad one is refused with the reason', async () => {
    const component = readFileSync(new URL('../fixtures/components/rust/word-count.wasm', import.meta.url))
    const { body: agent } = await deployComponent(component)
    const second = await call('POST', `/api/agents/${agent.id}/versions`, { body: { source: component.toString('base64') } })
    expect([second.status, second.body.version]).toEqual([201, 2])
    expect((await run(agent.id, { text: 'to be' })).body).toMatchObject({ status: 'completed', output: { words: { to: 1, be: 1 } } })
    const command = await deployComponent(readFileSync(new URL('../fixtures/agents/echo.wasm', import.meta.url)))
    expect([command.status, command.body.code, command.body.detail]).toEqual([
      422,
      'invalid-program',
      expect.stringContaining('core module'),
    ])
  })
})

describe('a program that misbehaves is a successful answer, and the next run is unaffected', () => {
  const misbehaving: [string, string, string][] = [
    ['throws', `export default () => { throw new TypeError('no such luck') }`, 'threw'],
    ['rejects', `export default async () => { throw new Error('later') }`, 'threw'],
    ['returns what JSON cannot say', `export default () => 1n`, 'threw'],
    ['waits for a promise that nothing settles', `export default () => new Promise(() => {})`, 'threw'],
    ['loops for ever', `export default () => { for (;;); }`, 'out-of-fuel'],
    ['allocates for ever', `export default () => { const all = []; for (;;) all.push(new Uint8Array(1 << 20).fill(1)) }`, 'memory-limit'],
    ['answers more than fits', `export default () => 'x'.repeat(2 << 20)`, 'output-limit'],
  ]
  test.each(misbehaving)('%s', async (_, source, expected) => {
    const agentId = await deployScript(source)
    const { status, body } = await run(agentId, null)
    expect(status).toBe(200)
    expect(body.status).toBe(expected)
    expect(body.output).toBeUndefined()
    expect(body.usage.wallMicros).toBeGreaterThan(0)
    const healthy = await deployScript(`export default (x) => x + 1`)
    expect((await run(healthy, 41)).body.output).toBe(42)
  })
})

describe('the cost of an execution', () => {
  test('is estimated in the outcome, kept with it, listed, and summed by day; no receipt states it', async () => {
    const { key } = await newAccount()
    const agentId = await deployScript(`export default (kept, context) => { if (kept) context.artifact('a', 'b'); return 1 }`, key)
    const ran = async (input: boolean) => (await call('POST', `/api/agents/${agentId}/executions`, { key, body: { input } })).body
    const [plain, kept] = [await ran(false), await ran(true)]
    expect(plain.usage.costMicroUsd).toBeGreaterThan(0.6)
    expect(plain.usage.costMicroUsd).toBeLessThan(3)
    // A write of R2's is what an artifact costs most.
    expect(kept.usage.costMicroUsd - plain.usage.costMicroUsd).toBeGreaterThan(4)
    expect(JSON.stringify(plain.receipt)).not.toMatch(/cost/i)
    expect((await call('GET', `/api/executions/${plain.id}`, { key })).body.usage).toEqual(plain.usage)
    await vi.waitFor(
      async () => {
        const { items } = (await call('GET', '/api/executions', { key })).body
        expect(items.map((item: { costMicroUsd: number }) => item.costMicroUsd)).toEqual([
          kept.usage.costMicroUsd,
          plain.usage.costMicroUsd,
        ])
      },
      { timeout: 10_000, interval: 200 },
    )
    const { items: days } = (await call('GET', '/api/accounts/me/usage', { key })).body
    const spent = days.reduce((sum: number, day: { costMicroUsd: number }) => sum + day.costMicroUsd, 0)
    expect(spent).toBeCloseTo(plain.usage.costMicroUsd + kept.usage.costMicroUsd, 9)
  })
})

describe('somebody else', () => {
  test('may run a public agent but not read the execution of another account', async () => {
    const agentId = await deployScript(`export default (input, context) => { context.artifact('a', 'b'); return input }`)
    const { body: mine } = await run(agentId, 1)
    const stranger = await newAccount()
    const theirs = await call('POST', `/api/agents/${agentId}/executions`, { key: stranger.key, body: { input: 2 } })
    expect(theirs.body.output).toBe(2)
    for (const path of [`/api/executions/${mine.id}`, `/api/executions/${mine.id}/artifacts/a`]) {
      const answer = await call('GET', path, { key: stranger.key })
      expect([answer.status, answer.body.code]).toEqual([404, 'execution-not-found'])
    }
  })
})
