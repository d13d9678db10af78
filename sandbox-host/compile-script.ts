// Turns the source of a script, TypeScript or JavaScript, into the plain ES module that engines evaluate, and says where in the source
// each part of it was. Types are stripped, nothing is bundled: an import that is left is refused by the engine, which names it. A source
// can be made to exhaust a compiler, so each one meets a process of its own (bounded-process.ts).
import { createRequire } from 'node:module'
import { readMap } from './author-positions.ts'
import type { Position } from './author-positions.ts'
import type { BoundedProcesses } from './bounded-process.ts'
import { splitInlineMap } from './inline-map.ts'

/** The map leads through one that the source carries itself; absent for large sources. */
export type CompiledScript = { ok: true; code: Buffer; map?: Buffer } | { ok: false; message: string }
export type ScriptCompiler = (source: Buffer) => Promise<CompiledScript>

type Loader = 'js' | 'ts'
type Refusal = { ok: false; message: string; isFinal?: true; at?: Position }
type Attempt = { ok: true; code: Buffer; map?: Buffer } | Refusal

/** A map takes a fifth more memory (measured: 3 MB of dense source in 446 MB instead of 368 MB) and several bytes per token. */
const mappedSourceBytesMax = 2 * 1024 * 1024
/** Code grows little: comments go, nothing is added but line breaks. */
const outputBytesMax = 32 * 1024 * 1024
const flags = [
  '--format=esm',
  // What QuickJS speaks.
  '--target=es2023',
  '--charset=utf8',
  '--legal-comments=none',
  '--log-level=error',
  '--log-limit=1',
  '--color=false',
  '--tsconfig-raw={}',
]

/** esbuild takes about 125 bytes per byte of dense source (measured: 3 MB in 377 MB). */
export function createScriptCompiler(processes: BoundedProcesses): ScriptCompiler {
  const executable = esbuildPath()
  const { memoryBytesMax, secondsMax } = processes
  const tooMuch = `the source needs more than ${Math.floor(memoryBytesMax / 1024 ** 2)} MiB to compile: it is too large or nests too deeply`
  const tooLong = `the source takes longer than ${secondsMax} s to compile`

  async function compile(source: Buffer): Promise<CompiledScript> {
    if (!isUtf8(source)) return { ok: false, message: 'the source of a script must be UTF-8 text' }
    // JavaScript first: what is valid there keeps its meaning, whatever it would mean as TypeScript (`a<b,c>(d)`).
    const asJavaScript = await attempt(source, 'js')
    if (asJavaScript.ok || asJavaScript.isFinal) return asJavaScript
    const asTypeScript = await attempt(source, 'ts')
    if (asTypeScript.ok) return asTypeScript
    // Refused alike, it has nothing of TypeScript before its mistake.
    const isAlike = asTypeScript.at?.line === asJavaScript.at?.line && asTypeScript.at?.column === asJavaScript.at?.column
    return { ok: false, message: placed(asTypeScript, { source, loader: isAlike ? 'js' : 'ts' }) }
  }

  async function attempt(source: Buffer, loader: Loader): Promise<Attempt> {
    const isMapped = source.length <= mappedSourceBytesMax
    const mapping = isMapped ? ['--sourcemap=inline', '--sources-content=false'] : []
    const args = [...flags, `--loader=${loader}`, `--sourcefile=agent.${loader}`, ...mapping]
    const { code, signal, output, errors } = await processes.run({ executable, args, input: source, outputBytesMax })
    if (code === 0) return { ok: true, ...(isMapped ? splitInlineMap(output) : { code: output }) }
    return signal === null ? failure(errors) : { ok: false, message: tooLong, isFinal: true }
  }

  function failure(text: string): Refusal {
    const [, message] = /\[ERROR\] (.*)/.exec(text) ?? []
    if (message === undefined) return { ok: false, message: tooMuch, isFinal: true }
    const [, line, column] = /^ *agent\.[jt]s:(\d+):(\d+):/m.exec(text) ?? []
    return { ok: false, message, ...(line && column ? { at: { line: Number(line), column: Number(column) } } : {}) }
  }

  return compile
}

/** The message behind its place in the author's source, or in what that was bundled from. */
function placed({ message, at }: Refusal, { source, loader }: { source: Buffer; loader: Loader }): string {
  if (!at) return message
  const { map } = splitInlineMap(source)
  const place = (map && readMap(map)(at)) ?? `agent.${loader}:${at.line}:${at.column + 1}`
  return `${place}: ${message}`
}

/** The executable itself; what `esbuild` installs under its own name may be a script that starts it. */
function esbuildPath(): string {
  const require = createRequire(import.meta.url)
  return createRequire(require.resolve('esbuild')).resolve(`@esbuild/${process.platform}-${process.arch}/bin/esbuild`)
}

function isUtf8(bytes: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}
