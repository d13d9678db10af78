// The four agents of the demo: unmodified npm libraries, bundled to one module each the way an author would before a deploy.
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

export const demoLibraries = ['marked', 'markdown-it', 'commonmark', 'micromark'] as const
export type DemoLibrary = (typeof demoLibraries)[number]

/** @returns source of the agent as one ES module without imports */
export async function bundleDemoAgent(library: DemoLibrary): Promise<string> {
  const result = await build({
    entryPoints: [fileURLToPath(new URL(`./demo/${library}.ts`, import.meta.url))],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    target: 'es2023',
    legalComments: 'none',
    logLevel: 'silent',
  })
  const [file] = result.outputFiles
  if (!file) throw new Error(`bundling ${library} gave no output`)
  return file.text
}
