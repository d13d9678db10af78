// Source maps that are written into the last line of a module, as esbuild and other bundlers do it.
import { mapBytesMax } from './author-positions.ts'

const marker = Buffer.from('//# sourceMappingURL=data:application/json;')
const base64 = /^(?:charset=utf-?8;)?base64,([\w+/=-]*)\s*$/i

/** @returns the code in front of its last map, which is absent when there is none, it is not in the last line or too large */
export function splitInlineMap(module: Buffer): { code: Buffer; map?: Buffer } {
  const at = module.lastIndexOf(marker)
  if (at < 0) return { code: module }
  const code = module.subarray(0, at)
  // A third more than the map's own bytes, as base64 is.
  if (module.length - at > mapBytesMax * 1.4) return { code }
  const [, text] = base64.exec(module.toString('latin1', at + marker.length)) ?? []
  return text === undefined ? { code: module } : { code, map: Buffer.from(text, 'base64') }
}
