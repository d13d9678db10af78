import fc from 'fast-check'
import { expect, test } from 'vitest'
import { frameHeader, frameTypes, readFrame } from '../../sandbox-host/journal-frame.ts'

const frame = (payload: Buffer) => Buffer.concat([frameHeader(frameTypes.record, payload), payload])

test('a frame is read back, wherever it begins', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), (before, payload) => {
      const bytes = Buffer.concat([before, frame(Buffer.from(payload))])
      expect(readFrame(bytes, before.length)).toMatchObject({ type: frameTypes.record, payload: Buffer.from(payload), end: bytes.length })
    }),
  )
})

test('a frame that is cut anywhere is no frame', () => {
  const whole = frame(Buffer.from('{"id":"x"}'))
  for (let length = 0; length < whole.length; length++) expect(readFrame(whole.subarray(0, length), 0)).toBeUndefined()
})

test('a frame with any bit turned is no frame', () => {
  const whole = frame(Buffer.from('{"id":"x"}'))
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const bytes = Buffer.from(whole)
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(readFrame(bytes, 0)).toBeUndefined()
  }
})

test('zeros, which a crash may leave behind, are no frame', () => expect(readFrame(Buffer.alloc(64), 0)).toBeUndefined())
