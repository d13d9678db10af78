// What an author does before a deploy: one ES module of a script and all that it imports, with a map through which errors lead back to
// the author's files. The map names files and lines and holds none of their text.
import { basename, dirname, relative } from 'node:path'
import { build } from 'esbuild'
import type { BuildFailure, Message } from 'esbuild'

/** @returns source of the agent. @throws Error with a line for each mistake, `file:line:column: message` */
export async function bundleAgent(file: string): Promise<string> {
  const directory = dirname(file)
  try {
    const { outputFiles } = await build({
      absWorkingDir: directory,
      entryPoints: [basename(file)],
      // Names in the map are relative to the file: nobody's home directory goes out.
      outdir: directory,
      bundle: true,
      write: false,
      format: 'esm',
      // Neither a browser nor Node: a package that needs one of them fails here, and not in a run.
      platform: 'neutral',
      mainFields: ['module', 'main'],
      target: 'es2023',
      charset: 'utf8',
      legalComments: 'none',
      sourcemap: 'inline',
      sourcesContent: false,
      logLevel: 'silent',
    })
    const [output] = outputFiles
    if (!output) throw new Error(`bundling ${file} gave no output`)
    return output.text
  } catch (error) {
    if (!isBuildFailure(error)) throw error
    throw new Error(error.errors.map((message) => described(message, directory)).join('\n'), { cause: error })
  }
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && 'errors' in error
}

function described({ text, location }: Message, directory: string): string {
  if (!location) return text
  const { file, line, column } = location
  return `${relative(process.cwd(), `${directory}/${file}`)}:${line}:${column + 1}: ${text}`
}
