// The workloads of the sheet as one component, made by `jco componentize` as an author would make one each: 12 MB and half a minute, so it
// is kept in the user's cache under a hash of all that it is made from.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { cacheDirectory } from '../../local/engine-cargo.mjs'
import { makeDirectory } from '../../local/make-directory.mjs'
import type { SandboxProgram } from './sandbox.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const world = 'sandbox-host/guest/agent.wit'
const toolchain = ['jco', 'componentize-js'].map((name) => `node_modules/@bytecodealliance/${name}/package.json`)

export async function programsComponent(programs: readonly SandboxProgram[]): Promise<Buffer> {
  const source = await bundle(programs)
  const hash = createHash('sha256').update(source)
  for (const path of [world, ...toolchain]) hash.update(readFileSync(join(root, path)))
  const folder = cacheDirectory()
  const path = join(folder, `bench-component-${hash.digest('hex').slice(0, 32)}.wasm`)
  return readFile(path).catch(async () => {
    makeDirectory(folder)
    const work = await mkdtemp(join(folder, 'bench-component-'))
    try {
      const [from, to] = [join(work, 'programs.js'), join(work, 'programs.wasm')]
      await writeFile(from, source)
      const jco = join(root, 'node_modules/@bytecodealliance/jco/src/jco.js')
      await promisify(execFile)(process.execPath, [
        jco,
        'componentize',
        from,
        '--wit',
        join(root, world),
        '--world-name',
        'agent',
        '--out',
        to,
      ])
      await rename(to, path)
      return await readFile(path)
    } finally {
      await rm(work, { recursive: true, force: true })
    }
  })
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
