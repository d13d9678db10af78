import { expect, test } from 'vitest'
import { decodeStored, encodeStored } from '../../sandbox-host/stored-program.ts'

test.each([{ code: Buffer.from('code'), map: Buffer.from('{}') }, { code: Buffer.from('code') }, { code: Buffer.alloc(0) }])(
  '%o',
  (stored) => {
    expect(decodeStored(encodeStored(stored))).toEqual({ map: undefined, ...stored })
  },
)

test('what is cut short is no stored program', () => {
  expect(decodeStored(Buffer.alloc(3))).toBeUndefined()
  expect(decodeStored(encodeStored({ code: Buffer.alloc(0), map: Buffer.from('{}') }).subarray(0, -1))).toBeUndefined()
})
