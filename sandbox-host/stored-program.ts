// A program as the code store keeps it: what the engine made, and the map to the author's source that came with it.
//
//   bytes of the map (4, little-endian) | map | code

export type StoredProgram = { code: Buffer; map?: Buffer | undefined }

const lengthBytes = 4

export function encodeStored({ code, map = Buffer.alloc(0) }: StoredProgram): Buffer {
  const length = Buffer.alloc(lengthBytes)
  length.writeUInt32LE(map.length)
  return Buffer.concat([length, map, code])
}

/** @returns undefined for what `encodeStored` never gives */
export function decodeStored(file: Buffer): StoredProgram | undefined {
  if (file.length < lengthBytes) return undefined
  const codeAt = lengthBytes + file.readUInt32LE()
  if (codeAt > file.length) return undefined
  const map = codeAt > lengthBytes ? file.subarray(lengthBytes, codeAt) : undefined
  return { code: file.subarray(codeAt), map }
}
