// Loaded programs: one load for many, a budget that holds, nothing dropped under a run.
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Program } from '../../shared/agent.ts'
import { createScriptCompiler } from '../../sandbox-host/compile-script.ts'
import { Programs } from '../../sandbox-host/programs.ts'
import { encodeStored } from '../../sandbox-host/stored-program.ts'
import { runLimits } from '../../sandbox-host/sandbox-engine.ts'
import { createFakeEngine } from '../fakes/fake-engine.ts'
import { testProcesses } from '../fakes/native-engine.ts'

type SetUp = { bytesMax?: number; heldBytes?: number; stored?: Map<string, Buffer> }

function setUp({ bytesMax = 1e9, heldBytes = 100_000, stored }: SetUp = {}) {
  const engine = createFakeEngine({ heldBytes })
  const objects = new Map<string, Buffer>()
  const counts: Record<string, number> = {}
  let gets = 0
  const bucket = {
    async get(key: string) {
      gets++
      await new Promise((resolve) => setImmediate(resolve))
      return objects.get(key)
    },
  }
  const metrics = { programs: (result: string) => void (counts[result] = (counts[result] ?? 0) + 1), started: () => {} }
  const compileScript = createScriptCompiler(testProcesses)
  const codeStore = stored && {
    read: async (name: string) => stored.get(name),
    write: async (name: string, bytes: Buffer) => void stored.set(name, bytes),
  }
  const guests = {
    prepare: ({ kind, scriptMode }: Omit<Program, 'sha256'>, code: Buffer) => engine.prepare(kind, code, runLimits('basic'), scriptMode),
  }
  const clock = { now: 0 }
  const now = () => clock.now
  const programs = new Programs({ engine, guests, bucket, compileScript, codeStore, bytesMax, now, metrics })
  const put = (text: string, kind: Program['kind'] = 'command'): Program => {
    const sha256 = createHash('sha256').update(text).digest('hex')
    objects.set(`programs/${sha256}`, Buffer.from(text))
    return { kind, sha256 }
  }
  const touch = async (program: Program) => (await programs.use(program, 'acc'))[Symbol.dispose]()
  return { engine, programs, put, touch, objects, counts, clock, gets: () => gets }
}

test('many who ask for a cold program at once cause one load', async () => {
  const { engine, programs, put, gets, counts } = setUp()
  const program = put('a')
  const leases = await Promise.all(Array.from({ length: 20 }, () => programs.use(program, 'acc')))
  expect(gets()).toBe(1)
  expect(engine.prepared).toEqual(['a'])
  expect(new Set(leases.map(({ handle }) => handle)).size).toBe(1)
  await programs.use(program, 'acc')
  expect(counts).toEqual({ miss: 20, hit: 1 })
})

test('beyond the budget the program that was used longest ago goes', async () => {
  const { engine, touch, put, programs } = setUp({ bytesMax: 250_000 })
  const [a, b, c] = [put('a'), put('b'), put('c')]
  await touch(a)
  await touch(b)
  await touch(a)
  await touch(c)
  expect(engine.dropped).toEqual(['b'])
  expect(programs.stats()).toMatchObject({ loaded: 2, inUse: 0 })
  await touch(b)
  expect(engine.dropped).toEqual(['b', 'a'])
})

test('a program in use is not dropped, however small the budget', async () => {
  const { engine, programs, touch, put } = setUp({ bytesMax: 1 })
  const held = await programs.use(put('held'), 'acc')
  await touch(put('b'))
  await touch(put('c'))
  expect(engine.dropped).toEqual(['b'])
  held[Symbol.dispose]()
  held[Symbol.dispose]()
  await touch(put('d'))
  expect(engine.dropped.toSorted()).toEqual(['b', 'c', 'held'])
  expect(programs.stats()).toMatchObject({ loaded: 1, inUse: 0 })
})

test('bytes that are not what their name says are refused', async () => {
  const { programs, put, objects } = setUp()
  const program = put('a')
  objects.set(`programs/${program.sha256}`, Buffer.from('b'))
  await expect(programs.use(program, 'acc')).rejects.toMatchObject({ code: 'artifacts-unavailable' })
})

test('a failed load is not remembered', async () => {
  const { programs, put, objects } = setUp()
  const program = put('a')
  const bytes = objects.get(`programs/${program.sha256}`)
  objects.clear()
  await expect(programs.use(program, 'acc')).rejects.toMatchObject({ code: 'artifacts-unavailable' })
  if (bytes) objects.set(`programs/${program.sha256}`, bytes)
  await expect(programs.use(program, 'acc')).resolves.toMatchObject({ handle: 1 })
})

test('types are stripped from a script, other kinds are taken as they are', async () => {
  const { engine, touch, put } = setUp()
  await touch(put('let a: number = 1', 'script'))
  await touch(put('const a: number', 'command'))
  await touch(put('const a: number', 'component'))
  expect(engine.prepared).toEqual(['let a = 1;', 'const a: number', 'const a: number'])
})

test('more cold programs at once than the host loads are refused', async () => {
  const { programs, put } = setUp()
  const loads = Array.from({ length: 65 }, (_, i) => programs.use(put(`p${i}`), 'acc'))
  const refused = (await Promise.allSettled(loads)).filter(({ status }) => status === 'rejected')
  expect(refused).toMatchObject([{ reason: { code: 'overloaded' } }])
})

test('what was prepared once is loaded the next time, without bucket and compiler', async () => {
  const stored = new Map<string, Buffer>()
  const first = setUp({ stored })
  await first.touch(first.put('a'))
  expect([...stored.keys()]).toEqual([`command-${first.put('a').sha256}-fake-1`])

  const second = setUp({ stored })
  await second.touch(second.put('a'))
  expect(second.engine).toMatchObject({ prepared: [], loaded: ['a'] })
  expect(second.gets()).toBe(0)
})

test('what this machine cannot load is prepared again', async () => {
  const stored = new Map<string, Buffer>()
  const { engine, put, touch } = setUp({ stored })
  const program = put('a')
  stored.set(`command-${program.sha256}-fake-1`, encodeStored({ code: Buffer.from('code of another machine') }))
  await touch(program)
  expect(engine).toMatchObject({ prepared: ['a'], loaded: [] })
  expect(stored.get(`command-${program.sha256}-fake-1`)).toEqual(encodeStored({ code: Buffer.from('a') }))
})

test('a map counts once an error has decoded it, and what is not in use goes for it', async () => {
  const { engine, programs, put, touch } = setUp({ bytesMax: 250_000 })
  await touch(put('idle'))
  using held = await programs.use(put('a();\n'.repeat(200), 'script'), 'acc')
  const before = programs.stats()
  held.mapStack('    at <input>:1:1\n')
  expect([programs.stats(), engine.dropped]).toEqual([before, []])
  expect(held.mapStack('    at f (agent.js:200:1)\n')).toBe('    at f (agent.js:200:1)\n')
  expect(engine.dropped).toEqual(['idle'])
  expect(programs.stats()).toMatchObject({ loaded: 1, inUse: 1 })
})

test('a program that nobody has used for a while goes, unless it runs or could only be compiled again', async () => {
  for (const stored of [new Map<string, Buffer>(), undefined]) {
    const { engine, programs, put, touch, clock } = setUp({ ...(stored && { stored }) })
    const [idle, used, running] = [put('idle'), put('used'), put('running')]
    for (const program of [idle, used]) await touch(program)
    const run = await programs.use(running, 'acc')
    clock.now = 999
    await touch(used)
    programs.dropIdle(1_000)
    expect(programs.stats().loaded).toBe(3)
    clock.now = 1_000
    programs.dropIdle(1_000)
    expect(programs.stats().loaded).toBe(stored ? 2 : 3)
    expect(engine.dropped).toHaveLength(stored ? 1 : 0)
    run[Symbol.dispose]()
    clock.now = 1_999
    programs.dropIdle(1_000)
    expect(programs.stats().loaded).toBe(stored ? 1 : 3)
    clock.now = 2_000
    programs.dropIdle(1_000)
    expect(programs.stats()).toMatchObject(stored ? { loaded: 0, bytes: 0 } : { loaded: 3 })
  }
})
