// Turns the source of a script, TypeScript or JavaScript, into the plain ES module that engines evaluate. Types are stripped, nothing
// is bundled: an import that is left is refused by the engine, which names it. A source can be made to exhaust a compiler, so each one
// meets a process of its own (bounded-process.ts).
import { createRequire } from 'node:module'
import type { BoundedProcesses } from './bounded-process.ts'

export type CompiledScript = { ok: true; code: Buffer } | { ok: false; message: string }
export type ScriptCompiler = (source: Buffer) => Promise<CompiledScript>

type Attempt = CompiledScript | { ok: false; message: string; isFinal: true }

/** Output grows little: comments go, nothing is added but line breaks. */
const outputBytesMax = 32 * 1024 * 1024
const flags = [
  '--format=esm',
  // What QuickJS-ng and QuickJS both speak.
  '--target=es2023',
  '--charset=utf8',
  '--sourcefile=agent',
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
    return asJavaScript.ok || 'isFinal' in asJavaScript ? asJavaScript : attempt(source, 'ts')
  }

  async function attempt(source: Buffer, loader: 'js' | 'ts'): Promise<Attempt> {
    const args = [...flags, `--loader=${loader}`]
    const { code, signal, output, errors } = await processes.run({ executable, args, input: source, outputBytesMax })
    if (code === 0) return { ok: true, code: output }
    return signal === null ? failure(errors) : { ok: false, message: tooLong, isFinal: true }
  }

  function failure(text: string): Attempt {
    const [, message] = /\[ERROR\] (.*)/.exec(text) ?? []
    if (message === undefined) return { ok: false, message: tooMuch, isFinal: true }
    const [, line, column] = /^ *agent:(\d+):(\d+):/m.exec(text) ?? []
    return { ok: false, message: line && column ? `${line}:${Number(column) + 1}: ${message}` : message }
  }

  return compile
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
