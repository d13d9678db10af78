// Child: `wasmtime serve` with a component of the world `wasi:http/proxy`, as `jco componentize` makes it of JavaScript: a new instance for each request, with
// a limit on memory and a deadline. The programs are in one component, initialised when it is made.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { runChild } from '../../local/run-child.ts'
import { componentize } from '../sandboxes/componentize.ts'
import { peerProgramNames, peerSettings } from './peer-programs.ts'
import { serveBinary } from './serve-binary.ts'
import { wasiHttpWit, wasmtimePath, wasmtimeVersion } from './wasmtime-cli.ts'

// Without `markdown`, which its engine refuses (peer-list.ts).
const names = peerProgramNames.filter((name) => name !== 'markdown')

const server = (directory: string) => `${names.map((name) => `import ${name} from '${directory}/${name}.js'`).join('\n')}
const programs = { ${names.join(', ')} }
const headers = { 'content-type': 'application/json' }
async function handle(request) {
  const main = programs[new URL(request.url).pathname.slice(1)]
  return new Response(JSON.stringify(await main(await request.json())), { headers })
}
addEventListener('fetch', (event) => event.respondWith(handle(event.request)))`

/** As a deployment would: 12 MB take Cranelift a quarter of a minute. Kept beside the component. `serve` ends a run at its timeout by epochs. */
async function precompiled(component: string): Promise<string> {
  const compiled = `${component}-${wasmtimeVersion}.cwasm`
  if (!existsSync(compiled)) {
    await promisify(execFile)(wasmtimePath, ['compile', '-W', 'epoch-interruption=y', '-o', `${compiled}.part`, component])
    await rename(`${compiled}.part`, compiled)
  }
  return compiled
}

await runChild(async () => {
  const { directory, wallMsMax, memoryBytesMax } = peerSettings()
  const { outputFiles } = await build({
    stdin: { contents: server(directory), resolveDir: directory },
    bundle: true,
    format: 'esm',
    write: false,
    // Comments would name the directory, and the cache knows a component by its source.
    minifyWhitespace: true,
  })
  const source = outputFiles[0]?.text ?? ''
  const component = await componentize({ source, wit: await wasiHttpWit(), world: 'wasi:http/proxy' })
  const compiled = await precompiled(component)
  const limits = ['-W', `timeout=${wallMsMax}ms`, '-W', `max-memory-size=${memoryBytesMax}`]
  return serveBinary((port) => ({
    command: wasmtimePath,
    args: ['serve', '--allow-precompiled', '-S', 'cli', ...limits, '--addr', `127.0.0.1:${port}`, compiled],
  }))
})
