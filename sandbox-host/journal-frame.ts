// The unit of the journal's files: a checked frame. A reader knows from the bytes alone whether a frame is whole, so what a crash
// tore off is found and cut.
//
//   0        4      8       12                12 + length
//   | length | type | crc32 | payload ...     |            numbers are little-endian; the crc covers length, type and payload
import { crc32 } from 'node:zlib'

export const frameHeaderBytes = 12

/** head: first of a segment. artifact: raw bytes. record: an ExecutionRecord as JSON, after its artifacts. seal: last, with the index. */
export const frameTypes = { head: 1, artifact: 2, record: 3, seal: 4 } as const
export type FrameType = (typeof frameTypes)[keyof typeof frameTypes]

/** Larger than any payload: 8 MiB of artifacts, or a record with 1 MiB of output in JSON twice. */
const payloadBytesMax = 64 * 1024 * 1024

export type Frame = { type: FrameType; payloadOffset: number; payload: Buffer; end: number }

/** Header of a frame around `payload`; the payload itself is written after it, uncopied. */
export function frameHeader(type: FrameType, payload: Buffer): Buffer {
  const header = Buffer.allocUnsafe(frameHeaderBytes)
  header.writeUInt32LE(payload.length, 0)
  header.writeUInt32LE(type, 4)
  header.writeUInt32LE(crc32(payload, crc32(header.subarray(0, 8))), 8)
  return header
}

/** @returns undefined when no whole, intact frame begins at `offset` */
export function readFrame(bytes: Buffer, offset: number): Frame | undefined {
  const payloadOffset = offset + frameHeaderBytes
  if (payloadOffset > bytes.length) return undefined
  const length = bytes.readUInt32LE(offset)
  const type = bytes.readUInt32LE(offset + 4)
  const end = payloadOffset + length
  if (!isFrameType(type) || length > payloadBytesMax || end > bytes.length) return undefined
  const payload = bytes.subarray(payloadOffset, end)
  const sum = crc32(payload, crc32(bytes.subarray(offset, offset + 8)))
  return sum === bytes.readUInt32LE(offset + 8) ? { type, payloadOffset, payload, end } : undefined
}

function isFrameType(type: number): type is FrameType {
  return type >= frameTypes.head && type <= frameTypes.seal
}
