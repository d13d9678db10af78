// How scripts run on a host: who decides it for a new version, that it is then the same on every host, and that whatever comes out names it.
import { expect, test } from 'vitest'
import { createFallbackEngine } from '../../sandbox-host/engines/quickjs-fallback.ts'
import type { SandboxEngine } from '../../sandbox-host/sandbox-engine.ts'
import { executionRecordSchema, judgementLineSchema, manifestSchema } from '../../shared/execution.ts'
import { scriptModeDefault } from '../../shared/script-mode.ts'
import { createFakeEngine } from '../fakes/fake-engine.ts'
import { idOf } from '../fakes/id-of.ts'
import { createNativeEngine, hasNativeEngine } from '../fakes/native-engine.ts'
import { startTestHost } from '../fakes/test-host.ts'
import type { TestHost } from '../fakes/test-host.ts'

const on = { SCRIPT_COMPILER: 'on' }
const off = { SCRIPT_COMPILER: 'off' }
const fallback = () => createFallbackEngine({ threads: 1, queueMax: 4 })

const deploy = (host: TestHost, program: object) => host.post('/v1/programs', { program, accountId: idOf('account'), isNew: true })
async function execute(host: TestHost, source: string, scriptMode?: 'interpreted' | 'compiled') {
  const program = { ...host.program(source), ...(scriptMode ? { scriptMode } : {}) }
  return executionRecordSchema.parse((await host.post('/v1/executions', { ...host.execution(source), program })).json())
}

test.each([
  ['on', on, 'compiled'],
  ['asked', { SCRIPT_COMPILER: 'asked' }, 'interpreted'],
  ['off', off, 'interpreted'],
  ['nothing', {}, scriptModeDefault],
] as const)(
  'with SCRIPT_COMPILER %s a new version whose author leaves it to the host is given a mode',
  async (_, environment, scriptMode) => {
    await using host = await startTestHost({ environment })
    const program = host.program('fresh')
    const manifest = manifestSchema.parse((await deploy(host, program)).json())
    const engine = scriptMode === 'compiled' ? 'fake 1+compiled' : 'fake 1'
    expect(manifest).toMatchObject({ program: { ...program, scriptMode }, engine })
  },
)

test('the wish of an author is followed; a module has no mode', async () => {
  await using host = await startTestHost({ environment: { SCRIPT_COMPILER: 'asked' } })
  const program = host.program('fresh')
  for (const scriptMode of ['interpreted', 'compiled']) {
    expect((await deploy(host, { ...program, scriptMode })).json()).toMatchObject({ program: { scriptMode } })
  }
  expect((await deploy(host, { ...program, kind: 'command' })).json()).toMatchObject({
    program: { kind: 'command', sha256: program.sha256 },
    engine: 'fake 1',
  })
})

test('where nothing new is compiled, who insists is told so, and what is compiled already still runs compiled', async () => {
  await using host = await startTestHost({ environment: off })
  const compiled = { ...host.program('fresh'), scriptMode: 'compiled' }
  const refused = (await deploy(host, compiled)).problem()
  expect(refused).toMatchObject({ code: 'engine-unsupported', status: 501, detail: expect.stringContaining('SCRIPT_COMPILER is off') })
  const prepared = await host.post('/v1/programs', { program: compiled, accountId: idOf('account') })
  expect(prepared.json()).toMatchObject({ program: compiled, engine: 'fake 1+compiled' })
  expect(await execute(host, 'fresh', 'compiled')).toMatchObject({ status: 'completed', engine: 'fake 1+compiled' })
})

test('an engine without a compiler interprets new versions, and refuses compiled ones', async () => {
  await using host = await startTestHost({ engine: await fallback(), environment: on })
  const source = 'export default (x) => x.n + 1'
  expect((await deploy(host, host.program(source))).json()).toMatchObject({ program: { scriptMode: 'interpreted' } })
  const detail = expect.stringContaining('quickjs-fallback')
  const compiled = { ...host.program(source), scriptMode: 'compiled' }
  expect((await deploy(host, compiled)).problem()).toMatchObject({ code: 'engine-unsupported', detail })
  const run = await host.post('/v1/executions', { ...host.execution(source), program: compiled })
  expect(run.problem()).toMatchObject({ code: 'engine-unsupported', detail })
  expect(await execute(host, source, 'interpreted')).toMatchObject({ status: 'completed', output: '2', receipt: null })
})

test('both modes of one program are two programs, and nothing of one is taken for the other', async () => {
  const engine = createFakeEngine()
  await using host = await startTestHost({ engine })
  for (const mode of [undefined, 'interpreted', 'compiled', 'compiled'] as const) await execute(host, 'twice', mode)
  expect(engine.prepared).toEqual(['twice;', 'twice; [compiled]'])
})

test('records and receipts name mode and engine; without a mode a script is interpreted, and its receipt is as it was', async () => {
  await using host = await startTestHost()
  const [old, interpreted, compiled] = [
    await execute(host, 'x'),
    await execute(host, 'x', 'interpreted'),
    await execute(host, 'x', 'compiled'),
  ]
  const { kind, sha256 } = host.program('x')
  expect(
    [old, interpreted, compiled].map(({ engine, receipt }) => [engine, receipt?.statement.engine, receipt?.statement.program]),
  ).toEqual([
    ['fake 1', 'fake 1', { kind, sha256 }],
    ['fake 1', 'fake 1', { kind, sha256, scriptMode: 'interpreted' }],
    ['fake 1+compiled', 'fake 1+compiled', { kind, sha256, scriptMode: 'compiled' }],
  ])
})

test('a judging names the mode of the program, and of the checker', async () => {
  await using host = await startTestHost({
    engine: createFakeEngine({ behaviours: { check: () => ({ output: '{"accepted":true}' }) } }),
  })
  const program = { ...host.program('x'), scriptMode: 'compiled' }
  const checker = { ...host.program('check'), scriptMode: 'interpreted' }
  const cases = [{ id: idOf('case'), input: 1, expected: 1, salt: 'ab'.repeat(16) }]
  const asked = { submissionId: idOf('submission'), accountId: idOf('account'), tier: 'basic', program, checker, cases }
  const text = (await host.post('/v1/judgements', asked)).bytes.toString().trim()
  const lines = text.split('\n').map((line) => judgementLineSchema.parse(JSON.parse(line)))
  expect(lines[0]).toEqual({ type: 'engine', engine: 'fake 1+compiled' })
  expect(lines.at(-1)).toMatchObject({ type: 'end', receipt: { statement: { program, checker, engine: 'fake 1+compiled' } } })
})

test.skipIf(!hasNativeEngine)(
  'the native engine compiles, runs what it compiled after a restart, and says what it did not compile',
  async () => {
    const source = `
export default (input: { n: number }) => sum(input.n)
function sum(n: number): number {
  let all = 0
  for (let i = 0; i < n; i++) all += i
  return all
}
export function* numbers() {
  yield 1
}
`
    let engine: SandboxEngine = await createNativeEngine()
    await using host = await startTestHost({ engine, environment: on })
    const manifest = manifestSchema.parse((await deploy(host, host.program(source))).json())
    expect(manifest.program.scriptMode).toBe('compiled')
    expect(manifest.functions).toMatchObject({
      reason: null,
      interpreted: expect.arrayContaining([expect.objectContaining({ name: 'numbers' })]),
    })
    expect(manifest.functions?.compiled).toBeGreaterThanOrEqual(2)
    expect(manifest.functions?.interpreted.find(({ name }) => name === 'numbers')?.place).toMatch(/^agent\.ts:8:\d+$/)
    const interpreted = await execute(host, source, 'interpreted')
    const compiled = await execute(host, source, 'compiled')
    expect(interpreted.output).toBe('0')
    expect(compiled).toMatchObject({ output: '0', engine: manifest.engine })
    expect([compiled.engine, compiled.usage.fuel]).not.toEqual([interpreted.engine, interpreted.usage.fuel])

    engine = await createNativeEngine()
    await using other = await startTestHost({ engine, environment: off })
    const elsewhere = await execute(other, source, 'compiled')
    expect([elsewhere.engine, elsewhere.usage.fuel, elsewhere.output]).toEqual([compiled.engine, compiled.usage.fuel, compiled.output])
    expect(elsewhere.receipt?.statement.fuel).toBe(compiled.receipt?.statement.fuel)
  },
)
