// Turns the source of a script, TypeScript or JavaScript, into the plain ES module that engines evaluate. Types are stripped, nothing
// is bundled: an import that is left is refused by the engine, which names it.
import { stop, transform } from 'esbuild'
import type { TransformFailure, TransformOptions } from 'esbuild'

export type CompiledScript = { ok: true; code: Buffer } | { ok: false; message: string }

/** A module of 8 MiB takes well under a second; what takes longer was made to. */
const compileMsMax = 15_000

const options = {
  format: 'esm',
  // What QuickJS-ng and QuickJS both speak.
  target: 'es2023',
  charset: 'utf8',
  sourcefile: 'agent',
  legalComments: 'none',
  logLevel: 'silent',
} satisfies TransformOptions

/** @returns the module, or the compiler's message with line and column */
export async function compileScript(source: Buffer): Promise<CompiledScript> {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(source)
  } catch {
    return { ok: false, message: 'the source of a script must be UTF-8 text' }
  }
  // JavaScript first: what is valid there keeps its meaning, whatever it would mean as TypeScript (`a<b,c>(d)`).
  const asJavaScript = await attempt(text, 'js')
  if (asJavaScript.ok) return asJavaScript
  return attempt(text, 'ts')
}

async function attempt(text: string, loader: 'js' | 'ts'): Promise<CompiledScript> {
  let timer: NodeJS.Timeout | undefined
  try {
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        // The compiler is one process for all: it is ended, others that wait are told, and the next call starts a new one.
        void stop()
        reject(new Error(`compiling took longer than ${compileMsMax / 1000} s`))
      }, compileMsMax)
    })
    const { code } = await Promise.race([transform(text, { ...options, loader }), late])
    return { ok: true, code: Buffer.from(code) }
  } catch (error) {
    return { ok: false, message: messageOf(error) }
  } finally {
    clearTimeout(timer)
  }
}

function messageOf(error: unknown): string {
  const failure = error as Partial<TransformFailure> // esbuild throws this shape; anything else falls through to its text
  const first = failure.errors?.[0]
  if (!first) return error instanceof Error ? error.message : String(error)
  const place = first.location ? `${first.location.line}:${first.location.column + 1}: ` : ''
  const others = (failure.errors?.length ?? 1) - 1
  return `${place}${first.text}${others > 0 ? ` (and ${others} more)` : ''}`
}
