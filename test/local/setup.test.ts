import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { buildAdvice, sourceHash } from '../../local/setup-engine.mjs'
import { checkNode, installAdvice, matchesLock } from '../../local/setup-packages.mjs'

const directory = mkdtempSync(join(tmpdir(), 'bounty-setup-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe('checkNode', () => {
  test('Node 20 is enough', () => expect(() => checkNode('20.0.0')).not.toThrow())
  test('Node 18 is not, and the message says what to do', () =>
    expect(() => checkNode('18.20.1')).toThrow(/18\.20\.1 is too old: install Node 20/))
})

describe('matchesLock', () => {
  const lock = (packages: object) => JSON.stringify({ packages })
  const a = { version: '1.0.0', integrity: 'sha512-a' }

  test('what the lock asks for is installed', () => {
    expect(matchesLock(lock({ '': { name: 'root' }, 'node_modules/a': a }), lock({ 'node_modules/a': a }))).toBe(true)
  })
  test('packages for other platforms may be absent', () => {
    expect(matchesLock(lock({ 'node_modules/a': a, 'node_modules/b': { ...a, optional: true } }), lock({ 'node_modules/a': a }))).toBe(true)
  })
  test.each([
    ['another version', { 'node_modules/a': { ...a, version: '1.0.1' } }],
    ['other contents', { 'node_modules/a': { ...a, integrity: 'sha512-b' } }],
    ['one too few', {}],
    ['one too many', { 'node_modules/a': a, 'node_modules/b': a }],
  ])('%s is not a match', (_, installed) => {
    expect(matchesLock(lock({ 'node_modules/a': a }), lock(installed))).toBe(false)
  })
})

describe('advice', () => {
  test.each([
    ['npm error code ENOSPC', /disk is full/],
    ['npm error code EACCES', /not writable/],
    ['npm error request to host failed, reason: getaddrinfo ENOTFOUND', /registry cannot be reached/],
    ['npm error something else', /what it said/],
    ['npm error code EUSAGE: package.json and package-lock.json are not in sync', /Run `npm install`/],
  ])('npm: %s', (line, advice) => expect(installAdvice([line])).toMatch(advice))
  test.each([
    ['error: package `wasmtime v48.0.8` cannot be built because it requires rustc 1.91.0 or newer', /rustup update/],
    ['feature `edition2024` is required', /rustup update/],
    ['error: linker `cc` not found', /C linker/],
    ['error[E0583]: file not found for module `x`', /cargo failed/],
  ])('cargo: %s', (line, advice) => expect(buildAdvice([line])).toMatch(advice))
})

describe('sourceHash', () => {
  test('changes with any source, and with its name', async () => {
    mkdirSync(join(directory, 'src', 'deep'), { recursive: true })
    writeFileSync(join(directory, 'Cargo.toml'), 'a')
    writeFileSync(join(directory, 'src', 'lib.rs'), 'b')
    const first = await sourceHash(directory)
    expect(await sourceHash(directory)).toBe(first)
    writeFileSync(join(directory, 'src', 'deep', 'new.rs'), 'c')
    const second = await sourceHash(directory)
    expect(second).not.toBe(first)
    rmSync(join(directory, 'src', 'deep', 'new.rs'))
    writeFileSync(join(directory, 'src', 'new.rs'), 'c')
    expect(await sourceHash(directory)).not.toBe(second)
  })
})
