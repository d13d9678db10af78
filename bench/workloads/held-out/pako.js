import { deflate, inflate } from 'pako'

export default ({ text }) => {
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0) & 0xff)
  const packed = deflate(bytes, { level: 6 })
  const back = inflate(packed)
  return [packed.length, [...packed.subarray(0, 64)], back.length, back.every((byte, i) => byte === bytes[i])]
}
