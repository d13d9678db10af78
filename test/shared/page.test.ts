import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeCursor, encodeCursor, pageQuerySchema } from '../../shared/page.ts'

const ascii = fc.string({ unit: 'binary-ascii', maxLength: 40 }).filter((text) => !text.includes('\0'))

describe('cursors', () => {
  test('carry the key of the list they were made for', () => {
    fc.assert(
      fc.property(ascii, fc.integer(), (id, rank) => {
        expect(decodeCursor('agents', ['string', 'number'], encodeCursor('agents', [id, rank]))).toEqual([id, rank])
      }),
    )
  })

  test('of another list, or with a key of another shape, are refused', () => {
    const cursor = encodeCursor('bounties:open', ['bty_1'])
    expect(() => decodeCursor('bounties:awarded', ['string'], cursor)).toThrow('invalid-cursor')
    expect(() => decodeCursor('bounties:open', ['number'], cursor)).toThrow('invalid-cursor')
    expect(() => decodeCursor('bounties:open', ['string', 'string'], cursor)).toThrow('invalid-cursor')
  })

  test.each([
    ['string', 'a\0b'],
    ['string', 'half \ud800 of a pair'],
    ['number', 1.5],
    ['number', 2 ** 53],
    ['count', -1],
    ['count', 2 ** 31],
    ['instant', 'yesterday'],
    ['instant', '0000-01-01T00:00:00Z'],
    ['instant', '2026-02-30T00:00:00Z'],
  ] as const)('with %s %j are refused: the database could not compare it', (kind, part) => {
    const cursor = btoa(JSON.stringify(['agents', part]))
      .replaceAll('+', '-')
      .replaceAll('/', '_')
    expect(() => decodeCursor('agents', [kind], cursor)).toThrow('invalid-cursor')
  })

  test('of any text never throw anything but invalid-cursor', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => decodeCursor('agents', ['string'], text)).toThrow('invalid-cursor')
      }),
    )
  })

  test('absent mean the first page', () => expect(decodeCursor('agents', ['string'], undefined)).toBeUndefined())
})

test.each([
  ['0', false],
  ['1', true],
  ['100', true],
  ['101', false],
  ['1.5', false],
  ['x', false],
])('a page limit of %s fits: %s', (limit, fits) => expect(pageQuerySchema.safeParse({ limit }).success).toBe(fits))
