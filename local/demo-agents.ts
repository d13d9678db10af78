// The four agents of the demo: unmodified npm libraries, bundled by what authors use for a deploy.
import { fileURLToPath } from 'node:url'
import { bundleAgent } from '../cli/bundle-agent.ts'

export const demoLibraries = ['marked', 'markdown-it', 'commonmark', 'micromark'] as const
export type DemoLibrary = (typeof demoLibraries)[number]

/** @returns source of the agent as one ES module without imports */
export function bundleDemoAgent(library: DemoLibrary): Promise<string> {
  return bundleAgent(fileURLToPath(new URL(`./demo/${library}.ts`, import.meta.url)))
}
