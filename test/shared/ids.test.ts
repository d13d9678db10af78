import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { idPrefixes, idSchema, makeId, type IdKind } from '../../shared/ids.ts'

const kinds = fc.constantFrom(...(Object.keys(idPrefixes) as IdKind[]))
const at = fc.integer({ min: 0, max: 2 ** 48 - 1 })
const random = fc.uint8Array({ minLength: 10, maxLength: 10 })

describe('ids', () => {
  test('every id fits the schema of its kind and of no other', () => {
    fc.assert(
      fc.property(kinds, kinds, at, random, (kind, other, when, bytes) => {
        const id = makeId(kind, { at: when, random: bytes })
        expect(idSchema(kind).safeParse(id).success).toBe(true)
        expect(idSchema(other).safeParse(id).success).toBe(kind === other)
      }),
    )
  })

  test('text order is the order of creation', () => {
    fc.assert(
      fc.property(at, at, random, random, (a, b, x, y) => {
        fc.pre(a !== b)
        const [first, second] = [makeId('agent', { at: a, random: x }), makeId('agent', { at: b, random: y })]
        expect(first < second).toBe(a < b)
      }),
    )
  })

  test('different random bytes at one instant give different ids', () => {
    fc.assert(
      fc.property(random, random, (x, y) => {
        fc.pre(x.some((byte, i) => byte !== y[i]))
        expect(makeId('agent', { at: 1, random: x })).not.toBe(makeId('agent', { at: 1, random: y }))
      }),
    )
  })
})
