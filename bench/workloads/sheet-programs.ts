// The five workloads of the platform's sheet, with inputs that take a baseline interpreter 2 to 6 ms on this kind of machine.
import { readFileSync } from 'node:fs'
import type { SandboxProgram } from '../sandboxes/sandbox.ts'

const sizes = { arithmetic: 30_000, nested: 44, fibonacci: 18, objects: 1_300, strings: 9_000 }

export const sheetPrograms: SandboxProgram[] = Object.entries(sizes).map(([name, n]) => ({
  name,
  source: readFileSync(new URL(`./${name}.js`, import.meta.url), 'utf8'),
  input: JSON.stringify({ n }),
}))
