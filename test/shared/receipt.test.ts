// Receipts: one text for one value, and no field that can be changed unnoticed.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { receiptCrypto } from '../../cli/receipt-crypto.ts'
import { keyOfSeed } from '../../sandbox-host/receipt-key.ts'
import { createReceiptSigner, signStatement } from '../../sandbox-host/sign-receipt.ts'
import { programKinds } from '../../shared/agent.ts'
import { canonicalJson } from '../../shared/canonical-json.ts'
import { guestStatuses } from '../../shared/guest-status.ts'
import { checkOpenings, commitmentText, verifyJudgement, type Opening } from '../../shared/judgement-receipt.ts'
import { compareRun, reproducibleRun, verifyReceipt, type ReproducibleRun, type ToldRun } from '../../shared/receipt.ts'
import { tierNames } from '../../shared/tiers.ts'
import { idOf } from '../fakes/id-of.ts'

const sha256Hex = (text: string) => createHash('sha256').update(text).digest('hex')
const key = keyOfSeed('01'.repeat(32))
const { publicKey } = key
const finishedAt = '2026-11-23T12:00:00.000Z'
const told: ToldRun = {
  program: { kind: 'script', sha256: sha256Hex('program') },
  input: '{"a":1}',
  args: ['x'],
  tier: 'basic',
  seed: 7,
  startTime: '2000-01-01T00:00:00Z',
  engine: 'engine-1',
  status: 'completed',
  output: '{"b":2}',
  error: undefined,
  logs: { stdout: 'a', stderr: 'b', truncated: false },
  artifacts: [{ name: 'report.txt', bytes: 3, sha256: sha256Hex('abc') }],
  fuel: 1234,
  memoryBytesPeak: 65_536,
}
const run = reproducibleRun(told, sha256Hex)
const receipt = createReceiptSigner(key)({ id: idOf('execution'), finishedAt, run })
const check = (signed: unknown) => verifyReceipt(signed, { ...receiptCrypto, publicKey })

test('canonical JSON is that of RFC 8785: sorted by UTF-16, no space, no needless escape', () => {
  // U+FB33 sorts behind the pair of U+1F600, by code units.
  expect(canonicalJson({ b: [1, null, true], '\u{fb33}': 1, '😀': 2, a: { d: -0, c: '€\n"\u001f\\/' }, absent: undefined })).toBe(
    '{"a":{"c":"€\\n\\"\\u001f\\\\/","d":0},"b":[1,null,true],"😀":2,"\u{fb33}":1}',
  )
  expect(() => canonicalJson(0.5)).toThrow('safe integers')
  expect(() => canonicalJson('\ud800')).toThrow('half a character')
})

test('a receipt names the mode of a script; one from before there were modes names none, and verifies', async () => {
  expect(receipt.statement.program).toEqual({ kind: 'script', sha256: sha256Hex('program') })
  expect(await check(receipt)).toMatchObject({ ok: true })
  const program = { ...told.program, scriptMode: 'compiled' } as const
  const compiled = createReceiptSigner(key)({ id: idOf('execution'), finishedAt, run: reproducibleRun({ ...told, program }, sha256Hex) })
  expect(compiled.statement.program).toEqual(program)
  expect(await check(compiled)).toMatchObject({ ok: true })
  for (const other of [told.program, { ...program, scriptMode: 'interpreted' as const }]) {
    const changed = { ...compiled, statement: { ...compiled.statement, program: other } }
    expect(await check(changed)).toMatchObject({ ok: false, reason: 'bad-signature' })
  }
})

test('canonical JSON does not depend on the order in which a value was made, and parses back to it', () => {
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 3 },
      fc.constant(null),
      fc.boolean(),
      fc.maxSafeInteger(),
      fc.string({ unit: 'grapheme' }),
      fc.array(tie('any'), { maxLength: 4 }),
      fc.dictionary(fc.string({ unit: 'grapheme' }), tie('any'), { maxKeys: 4, noNullPrototype: true }),
    ),
  })).any
  const reversed = (of: unknown): unknown => {
    if (Array.isArray(of)) return of.map(reversed)
    if (typeof of !== 'object' || of === null) return of
    return Object.fromEntries(
      Object.entries(of)
        .toReversed()
        .map(([name, member]) => [name, reversed(member)]),
    )
  }
  fc.assert(
    fc.property(value, (made) => {
      // fast-check's letrec gives unknown; the arbitraries above make canonical values only.
      const text = canonicalJson(made as never)
      expect(canonicalJson(reversed(made) as never)).toBe(text)
      expect(canonicalJson(JSON.parse(text))).toBe(text)
    }),
    { seed: 4, numRuns: 200 },
  )
})

test('a receipt verifies; through JSON and with its keys in another order too', async () => {
  expect(await check(receipt)).toEqual({ ok: true, statement: receipt.statement })
  const shuffled = { signature: receipt.signature, statement: Object.fromEntries(Object.entries(receipt.statement).toReversed()) }
  expect(await check(JSON.parse(JSON.stringify(shuffled)))).toMatchObject({ ok: true })
})

const hash = fc.stringMatching(/^[0-9a-f]{64}$/)
/** Another value for every field of a statement, of the form that the field has. */
const others: Record<keyof typeof receipt.statement, fc.Arbitrary<unknown>> = {
  type: fc.constant('judgement'),
  receiptVersion: fc.constant(2),
  executionId: fc.constant(null).map(() => idOf('execution')),
  program: fc.record({ kind: fc.constantFrom(...programKinds), sha256: hash }),
  inputSha256: hash,
  args: fc.array(fc.string()),
  tier: fc.constantFrom(...tierNames),
  seed: fc.maxSafeNat(),
  startTime: fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }).map((date) => date.toISOString()),
  engine: fc.string(),
  status: fc.constantFrom(...guestStatuses),
  outputSha256: fc.option(hash),
  errorSha256: fc.option(hash),
  logsSha256: hash,
  artifacts: fc.array(fc.record({ name: fc.string(), bytes: fc.nat(), sha256: hash }), { maxLength: 3 }),
  fuel: fc.maxSafeNat(),
  memoryBytesPeak: fc.maxSafeNat(),
  finishedAt: fc.constant('2026-11-23T12:00:00.001Z'),
  keyId: hash.map((text) => text.slice(0, 32)),
}

test.each(Object.entries(others))('%s cannot be changed unnoticed, nor left out', async (field, arbitrary) => {
  // The table's keys are those of the statement.
  const stated = receipt.statement[field as keyof typeof others]
  await fc.assert(
    fc.asyncProperty(arbitrary, async (value) => {
      fc.pre(JSON.stringify(value) !== JSON.stringify(stated))
      expect(await check({ ...receipt, statement: { ...receipt.statement, [field]: value } })).toMatchObject({ ok: false })
    }),
    { seed: 8, numRuns: 30 },
  )
  const { [field]: _, ...rest } = receipt.statement as Record<string, unknown>
  expect(await check({ ...receipt, statement: rest })).toMatchObject({ ok: false, reason: 'malformed' })
})

test('every field of a statement is in the table above, and nothing can be added', async () => {
  expect(Object.keys(others).toSorted()).toEqual(Object.keys(receipt.statement).toSorted())
  expect(await check({ ...receipt, statement: { ...receipt.statement, more: 1 } })).toMatchObject({ reason: 'malformed' })
  expect(await check({ ...receipt, more: 1 })).toMatchObject({ reason: 'malformed' })
})

test('any bit of the signature counts, and so does the key', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 511 }), async (bit) => {
      const bytes = Buffer.from(receipt.signature, 'hex')
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(await check({ ...receipt, signature: bytes.toString('hex') })).toMatchObject({ reason: 'bad-signature' })
    }),
    { seed: 9, numRuns: 100 },
  )
  const other = keyOfSeed('02'.repeat(32))
  expect(await verifyReceipt(receipt, { ...receiptCrypto, publicKey: other.publicKey })).toMatchObject({ reason: 'another-key' })
  // Somebody else's signature under our key's name.
  const forged = signStatement(receipt.statement, other.privateKey)
  expect(await check(forged)).toMatchObject({ reason: 'bad-signature' })
})

const changes: [keyof ReproducibleRun, Partial<ToldRun>][] = [
  ['inputSha256', { input: '{"a":2}' }],
  ['outputSha256', { output: '{"b":2 }' }],
  ['outputSha256', { output: undefined }],
  ['errorSha256', { error: { message: '' } }],
  ['logsSha256', { logs: { stdout: 'ab', stderr: '', truncated: false } }],
  ['artifacts', { artifacts: [] }],
  ['fuel', { fuel: 1235 }],
  ['status', { status: 'threw' }],
  ['engine', { engine: 'engine-2' }],
  ['seed', { seed: 8 }],
  ['memoryBytesPeak', { memoryBytesPeak: 131_072 }],
]
test.each(changes)('a run that differs in %s is told apart: %o', (field, change) => {
  expect(compareRun(receipt.statement, run)).toEqual([])
  const found = compareRun(receipt.statement, reproducibleRun({ ...told, ...change }, sha256Hex))
  expect(found.map((difference) => difference.field)).toEqual([field])
})

test('absent output and the output null are different statements', () => {
  const absent = reproducibleRun({ ...told, output: undefined }, sha256Hex)
  const isNull = reproducibleRun({ ...told, output: 'null' }, sha256Hex)
  expect([absent.outputSha256, isNull.outputSha256]).toEqual([null, sha256Hex('null')])
})

const submissionId = idOf('submission')
function opening(fields: Partial<Opening> = {}): Opening {
  const hashes = { inputSha256: sha256Hex('1'), expectedSha256: sha256Hex('2'), outputSha256: sha256Hex('2') }
  return { caseId: idOf('case'), salt: 'a'.repeat(32), ...hashes, status: 'accepted', fuel: 5, ...fields }
}

test('a judging is signed as a list of commitments; openings belong to theirs alone', async () => {
  const checker = { kind: 'script', sha256: sha256Hex('checker') } as const
  const openings = [opening(), opening({ status: 'wrong-answer', outputSha256: null })]
  const entries = openings.map((open) => ({ caseId: open.caseId, commitment: sha256Hex(commitmentText({ submissionId, checker }, open)) }))
  const { program, tier, seed, startTime, engine } = told
  const statement = { type: 'judgement', receiptVersion: 2, submissionId, program, checker, tier, seed, startTime, engine } as const
  const signed = signStatement({ ...statement, casesPassed: 1, entries, finishedAt, keyId: key.id }, key.privateKey)
  expect(await verifyJudgement(signed, { ...receiptCrypto, publicKey })).toMatchObject({ ok: true })
  expect(await checkOpenings(signed.statement, openings, sha256Hex)).toEqual([])
  expect(await checkOpenings(signed.statement, openings.slice(1), sha256Hex)).toEqual([])
  const [first, second] = openings
  for (const change of [{ fuel: 6 }, { salt: 'b'.repeat(32) }, { outputSha256: null }, { status: 'threw' }]) {
    const changed = [{ ...opening(), ...first, ...change }, ...(second ? [second] : [])]
    expect((await checkOpenings(signed.statement, changed, sha256Hex)).length).toBeGreaterThan(0)
  }
  for (const other of [null, { ...checker, sha256: sha256Hex('another') }]) {
    const elsewhere = { ...signed.statement, checker: other }
    expect(await checkOpenings(elsewhere, openings, sha256Hex)).toHaveLength(2)
    expect(await verifyJudgement({ ...signed, statement: elsewhere }, { ...receiptCrypto, publicKey })).toMatchObject({ ok: false })
  }
  const { checker: _none, ...without } = signed.statement
  expect(await verifyJudgement({ ...signed, statement: without }, { ...receiptCrypto, publicKey })).toMatchObject({ reason: 'malformed' })
  // A judgement is no execution, whatever signed it.
  expect(await check(signed)).toMatchObject({ reason: 'malformed' })
})

test('the same result in two submissions has two commitments', () => {
  const open = opening()
  expect(commitmentText({ submissionId }, open)).not.toBe(commitmentText({ submissionId: idOf('submission') }, open))
})

test('a judging that was signed before there were checkers still verifies, and takes no checker', async () => {
  const kept = JSON.parse(readFileSync(new URL('../fixtures/receipts/judgement-version-1.json', import.meta.url), 'utf8'))
  const { receipt: signed } = kept
  const options = { ...receiptCrypto, publicKey: String(kept.publicKey) }
  const verification = await verifyJudgement(signed, options)
  if (!verification.ok) throw new Error(verification.message)
  expect(await checkOpenings(verification.statement, kept.openings, sha256Hex)).toEqual([])
  const changed = { ...signed, statement: { ...signed.statement, checker: null } }
  expect(await verifyJudgement(changed, options)).toMatchObject({ reason: 'malformed' })
  expect(await verifyJudgement({ ...changed, statement: { ...changed.statement, receiptVersion: 2 } }, options)).toMatchObject({
    reason: 'bad-signature',
  })
})
