// Compiled programs on disk: kept between processes, within a budget, and never believed when anybody else wrote them.
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CodeStore } from '../../sandbox-host/code-store.ts'

let dataDirectory: string
beforeEach(() => void (dataDirectory = mkdtempSync(join(tmpdir(), 'bounty-code-'))))
afterEach(() => rmSync(dataDirectory, { recursive: true, force: true }))

const open = (bytesMax = 1e6) => CodeStore.open({ dataDirectory, bytesMax })
const file = (name: string) => join(dataDirectory, 'code', name)
const payload = Buffer.from('machine code')

test('what one process wrote another reads', async () => {
  await (await open()).write('a', payload)
  const again = await open()
  expect(await again.read('a')).toEqual(payload)
  expect(await again.read('b')).toBeUndefined()
  expect(again.stats()).toEqual({ files: 1, bytes: 32 + payload.length, rejected: 0 })
})

test('the key and the files are for this user alone', async () => {
  await (await open()).write('a', payload)
  for (const path of [file('a'), join(dataDirectory, 'code-key')]) expect(statSync(path).mode & 0o077).toBe(0)
})

test.each([
  ['a byte of the payload', (bytes: Buffer) => Buffer.from(bytes.map((byte, i) => (i === 35 ? byte ^ 1 : byte)))],
  ['a byte of the mark', (bytes: Buffer) => Buffer.from(bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte)))],
  ['the end', (bytes: Buffer) => bytes.subarray(0, -1)],
  ['everything', () => Buffer.alloc(0)],
])('a file of which %s was changed is removed unread', async (_what, change) => {
  const store = await open()
  await store.write('a', payload)
  writeFileSync(file('a'), change(readFileSync(file('a'))))
  expect(await store.read('a')).toBeUndefined()
  expect(store.stats()).toEqual({ files: 0, bytes: 0, rejected: 1 })
  expect(readdirSync(join(dataDirectory, 'code'))).toEqual([])
})

test('a file under the name of another program, or of another host, is not ours', async () => {
  const store = await open()
  await store.write('a', payload)
  writeFileSync(file('b'), readFileSync(file('a')))
  expect(await (await open()).read('b')).toBeUndefined()
  rmSync(join(dataDirectory, 'code-key'))
  expect(await (await open()).read('a')).toBeUndefined()
})

test('beyond the budget the file that was used longest ago goes; what is larger than the budget is not kept', async () => {
  const store = await open(2 * (32 + 10))
  const ten = Buffer.alloc(10)
  await store.write('a', ten)
  await store.write('b', ten)
  await new Promise((resolve) => setTimeout(resolve, 5))
  expect(await store.read('a')).toEqual(ten)
  await store.write('c', ten)
  expect(readdirSync(join(dataDirectory, 'code')).toSorted()).toEqual(['a', 'c'])
  await store.write('d', Buffer.alloc(2 * 42 - 32 + 1))
  expect(await store.read('d')).toBeUndefined()
  await store.write('e', Buffer.alloc(2 * 42 - 32))
  expect(readdirSync(join(dataDirectory, 'code'))).toEqual(['e'])
})

test('what a dying process left half written is cleared away', async () => {
  await (await open()).write('a', payload)
  writeFileSync(file('b.7.draft'), 'half')
  expect((await open()).stats().files).toBe(1)
  expect(readdirSync(join(dataDirectory, 'code'))).toEqual(['a'])
})
