// Where the author's source has what an engine places in the compiled code. A script is compiled before it runs, and may have been
// bundled before that; esbuild makes one map of both steps, and here a stack is rewritten by it. The map comes from a stranger's upload:
// its size is bounded, its form is parsed, it is decoded only when a first error asks, and whatever is wrong with it, the stack stays.
// Only the error of an outcome is rewritten: what a guest logs or returns are its own bytes.
import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping'
import { z } from 'zod'

export type Position = { line: number; column: number }

/** A pure function of the program and the stack, so that whoever runs the program again reads the same. */
export type StackMapper = (stack: string) => string

/** Larger maps are left out. Decoding one of this size takes 60 ms of the event loop, once for a loaded program (measured). */
export const mapBytesMax = 1024 * 1024

/** Memory of a decoded map per byte of its text (measured on dense code: 36). */
const decodedBytesPerMapByte = 40

/** Maps are looked at in this part of a stack; engines and prelude tell 8,192 characters. */
const stackCharsMax = 16_384
const nameCharsMax = 200

/** Names of the compiled module and of the prelude in stacks; the same in both engines. */
const compiledPlace = /\bagent\.js:(\d{1,9}):(\d{1,9})\b/g
const preludeFrame = /^ *at .*\bprelude\.js:\d+:\d+\)?\n?/gm

const mapSchema = z.object({
  version: z.literal(3),
  sources: z.array(z.string().nullable()).min(1).max(10_000),
  sourceRoot: z.string().nullish(),
  names: z.array(z.string()).optional().default([]),
  mappings: z.string().regex(/^[A-Za-z0-9+/,;]*$/),
})

export type StackMapperOptions = {
  map: Buffer | undefined
  /** Called at most once, with about the memory that the mapper takes from then on. */
  onDecode?: (bytes: number) => void
}

export function createStackMapper({ map, onDecode }: StackMapperOptions): StackMapper {
  let known: AuthorMap | undefined
  return (stack) => {
    // The prelude's frames say nothing to an author, and lie elsewhere in every version.
    const frames = stack.slice(0, stackCharsMax).replaceAll(preludeFrame, '')
    if (!map || frames.search(compiledPlace) < 0) return frames
    if (!known) onDecode?.(map.length * decodedBytesPerMapByte)
    const authorMap = (known ??= readMap(map))
    // Engines count columns from 1.
    const placeOf = (line: string, column: string) => authorMap({ line: Number(line), column: Number(column) - 1 })
    return frames.replaceAll(compiledPlace, (place: string, line: string, column: string) => placeOf(line, column) ?? place)
  }
}

/** @returns where the author has it, as `file:line:column`; undefined where the map does not know. Columns go in from 0, out from 1. */
export type AuthorMap = (position: Position) => string | undefined

/** Of a map that is not to be trusted; one that cannot be read knows nothing. */
export function readMap(json: Buffer): AuthorMap {
  const map = traceMapOf(json)
  return ({ line, column }) => {
    if (!map || line < 1 || column < 0) return undefined
    try {
      const found = originalPositionFor(map, { line, column })
      if (found.source === null || !isWhole(found.line - 1) || !isWhole(found.column)) return undefined
      return `${nameOf(found.source)}:${found.line}:${found.column + 1}`
    } catch {
      return undefined
    }
  }
}

function traceMapOf(json: Buffer): TraceMap | undefined {
  if (json.length > mapBytesMax) return undefined
  try {
    const { sourceRoot, ...map } = mapSchema.parse(JSON.parse(json.toString('utf8')))
    return new TraceMap({ ...map, ...(sourceRoot ? { sourceRoot } : {}) })
  } catch {
    return undefined
  }
}

function isWhole(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

/** Of one line and without the parentheses that end a frame, so that a file's name cannot pass for another frame. */
function nameOf(source: string): string {
  return source.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}()]/gu, '_').slice(-nameCharsMax)
}
