// The workloads of the sheet as one component, made by `jco componentize` as an author would make one each.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { componentize } from './componentize.ts'
import type { SandboxProgram } from './sandbox.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

export async function programsComponent(programs: readonly SandboxProgram[]): Promise<Buffer> {
  return readFile(await componentize({ source: await bundle(programs), wit: 'sandbox-host/guest/agent.wit', world: 'agent' }))
}

async function bundle(programs: readonly SandboxProgram[]): Promise<string> {
  const imports = programs.map(({ name }, at) => `import program${at} from ${JSON.stringify(name)}`)
  const entries = programs.map(({ name }, at) => `${JSON.stringify(name)}: program${at}`)
  const contents = `${imports.join('\n')}
const programs = { ${entries.join(', ')} }
export function run(text) {
  const { program, input } = JSON.parse(text)
  return JSON.stringify(programs[program](input))
}`
  const sources = new Map(programs.map(({ name, source }) => [name, source]))
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    format: 'esm',
    write: false,
    logLevel: 'error',
    plugins: [
      {
        name: 'programs',
        setup(plugin) {
          plugin.onResolve({ filter: /.*/ }, ({ path, kind }) =>
            kind === 'entry-point' ? undefined : sources.has(path) ? { path, namespace: 'programs' } : { path, external: true },
          )
          plugin.onLoad({ filter: /.*/, namespace: 'programs' }, ({ path }) => ({ contents: sources.get(path) ?? '', loader: 'js' }))
        },
      },
    ],
  })
  return outputFiles[0]?.text ?? ''
}
