// A file as the API takes it: a script is bundled, a WebAssembly file goes as base64, as a component or a command by what its first bytes say.
import { readFile } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import { limits } from '../shared/tiers.ts'
import { bundleAgent } from './bundle-agent.ts'
import { UsageError } from './usage-error.ts'

export const uploadKinds = ['script', 'command', 'component'] as const
export type UploadKind = (typeof uploadKinds)[number]
export type Upload = { kind: UploadKind; source: string; bytes: number }

const scriptExtensions = ['.ts', '.mts', '.js', '.mjs']

/** @throws UsageError for a file that cannot be an agent */
export async function readProgram(file: string, given?: UploadKind): Promise<Upload> {
  const content = await readFile(file).catch((cause: unknown) => {
    throw new UsageError(`${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  })
  const found = kindOf(file, content)
  const isModule = found === 'command' || found === 'component'
  if (given !== undefined && isModule !== (given !== 'script')) {
    throw new UsageError(`${file} is a ${found}; --kind is ${given}, which it cannot be`)
  }
  const source = isModule ? content.toString('base64') : await bundleAgent(resolve(file))
  const bytes = isModule ? content.length : Buffer.byteLength(source)
  if (bytes > limits.programBytesMax) {
    throw new Error(`${file} comes to ${bytes} bytes; at most ${limits.programBytesMax} are allowed`)
  }
  return { kind: given ?? found, source, bytes }
}

function kindOf(file: string, content: Buffer): UploadKind {
  // The binary format (WebAssembly core 5.5.16; component model, Binary.md): magic, version, and the layer, 1 in a component.
  const isWasm = content.length >= 8 && content.subarray(0, 4).equals(Buffer.from('\0asm'))
  if (isWasm) return content.readUInt16LE(6) === 1 ? 'component' : 'command'
  const extension = extname(file)
  if (scriptExtensions.includes(extension)) return 'script'
  const allowed = `a script ends in ${scriptExtensions.join(', ')}, a WebAssembly file begins with its magic number`
  throw new UsageError(`${file} is no program: its name ends in ${JSON.stringify(extension)}; ${allowed}`)
}
