// `bounty verify` as a process: a receipt of the real host parts, run again by the native engine.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rerun } from '../../cli/rerun.ts'
import { keyOfSeed } from '../../sandbox-host/receipt-key.ts'
import { createReceiptSigner, sha256Hex } from '../../sandbox-host/sign-receipt.ts'
import type { ExecutionStatement, Receipt } from '../../shared/receipt.ts'
import { startTimeDefault } from '../../shared/execution.ts'
import { idOf } from '../fakes/id-of.ts'
import { bounty } from './bounty.ts'

const enginePath = `${import.meta.dirname}/../../sandbox-host/engine/agent-engine.node`
const key = keyOfSeed('03'.repeat(32))
const source = `export default (input: { n: number }, context) => {
  console.log('n is', input.n)
  context.artifact('n.txt', String(input.n))
  return [input.n, Math.random(), Date.now()]
}`

describe('without an engine', () => {
  test('help says how, wrong use says what is wrong', async () => {
    expect(await bounty(['verify', '--help'])).toMatchObject({ code: 0, out: expect.stringContaining('Usage: bounty verify') })
    expect(await bounty(['--help'])).toMatchObject({ code: 0, out: expect.stringContaining('verify') })
    expect(await bounty(['verify'])).toMatchObject({ code: 2, err: expect.stringContaining('Usage: bounty verify') })
    expect(await bounty(['verify', 'r.json', '--colour'])).toMatchObject({ code: 2, err: expect.stringContaining("'--colour'") })
    expect(await bounty(['verify', 'r.json'])).toMatchObject({ code: 2, err: expect.stringContaining('--signature-only') })
    expect(await bounty(['pay'])).toMatchObject({ code: 2, err: expect.stringContaining('no command "pay"') })
  })
})

describe.skipIf(!existsSync(enginePath))('where the native engine is built', () => {
  let directory: string
  let receipt: Receipt
  const file = (name: string, text: string) => {
    writeFileSync(join(directory, name), text)
    return join(directory, name)
  }
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'bounty-verify-'))
    const program = { kind: 'script', sha256: sha256Hex(source) } as const
    // Only the conditions of it are read.
    const asked = { program, tier: 'basic', seed: 5, startTime: startTimeDefault, args: [] as string[] } as unknown as ExecutionStatement
    const run = await rerun(asked, { program: Buffer.from(source), input: '{"n":4}' })
    if (!run) throw new Error('the script did not end')
    receipt = createReceiptSigner(key)({ id: idOf('execution'), finishedAt: '2026-11-23T12:00:00.000Z', run })
  })
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  const verify = (signed: Receipt, { program = source, input = '{ "n": 4 }' } = {}) => {
    const files = ['--program', file('agent.ts', program), '--input', file('input.json', input)]
    return bounty(['verify', '--receipt', file('receipt.json', JSON.stringify(signed)), ...files, '--key', key.publicKey])
  }

  test('a receipt verifies, in another process, from the outcome too', async () => {
    const { code, out } = await verify(receipt)
    expect(out).toMatch(/^signature +ok/m)
    expect(out).toMatch(/^fuel +ok/m)
    expect(out).toContain('VERIFIED: the run repeats')
    expect(code).toBe(0)
    const outcome = file('outcome.json', JSON.stringify({ id: 'x', receipt }))
    expect(await bounty(['verify', outcome, '--signature-only', '--key', key.publicKey])).toMatchObject({ code: 0 })
  })

  test('what ran compiled is run again compiled', { timeout: 180_000 }, async () => {
    const { executionId: id, finishedAt, type: _, receiptVersion: _version, keyId: _key, ...interpreted } = receipt.statement
    const program = { ...interpreted.program, scriptMode: 'compiled' } as const
    const run = await rerun({ ...receipt.statement, program }, { program: Buffer.from(source), input: '{"n":4}' })
    if (!run) throw new Error('the script did not end')
    expect(run.engine).toMatch(/\+compiled-\d+$/)
    expect({ ...run, engine: '', fuel: 0, memoryBytesPeak: 0 }).toEqual({
      ...interpreted,
      program,
      engine: '',
      fuel: 0,
      memoryBytesPeak: 0,
    })
    const sign = createReceiptSigner(key)
    const { code, out } = await verify(sign({ id, finishedAt, run }))
    expect(out).toMatch(/^mode +compiled/m)
    expect(out).toContain('VERIFIED: the run repeats')
    expect(code).toBe(0)
  })

  test('what was changed is said', async () => {
    expect(await verify({ ...receipt, statement: { ...receipt.statement, fuel: 1 } })).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^signature +WRONG/m),
    })
    expect(await verify(receipt, { program: `${source} ` })).toMatchObject({ code: 1, out: expect.stringMatching(/^program +DIFFERS/m) })
    expect(await verify(receipt, { input: '{"n":5}' })).toMatchObject({ code: 1, out: expect.stringMatching(/^input +DIFFERS/m) })
  })

  test('what a host states and did not run differs, though it is signed', async () => {
    const { executionId: id, finishedAt, type: _, receiptVersion: _version, keyId: _key, ...run } = receipt.statement
    const lie = createReceiptSigner(key)({ id, finishedAt, run: { ...run, fuel: run.fuel + 1 } })
    const { code, out } = await verify(lie)
    expect(code).toBe(1)
    expect(out).toMatch(/^fuel +DIFFERS/m)
    expect(out).toContain('NOT VERIFIED: 1 of what is stated differ: fuel')
  })

  test('a key that nobody knows, and no JSON, are said', async () => {
    const path = file('receipt.json', JSON.stringify(receipt))
    const keys = file('keys.json', '{"items":[]}')
    expect(await bounty(['verify', path, '--signature-only', '--keys', keys])).toMatchObject({
      code: 1,
      err: expect.stringContaining('no known host signed this'),
    })
    expect(await bounty(['verify', file('x.json', '{'), '--signature-only', '--keys', keys])).toMatchObject({
      code: 1,
      err: expect.stringContaining('is not JSON'),
    })
  })
})
