// Child: `wasmtime serve` with a component of the world `wasi:http/proxy`, as `jco componentize` makes it of JavaScript: a new instance for each request, with
// a limit on memory and a deadline. The programs are in one component, initialised when it is made.
import { build } from 'esbuild'
import { runChild } from '../../local/run-child.ts'
import { componentize } from '../sandboxes/componentize.ts'
import { peerProgramNames, peerSettings } from './peer-programs.ts'
import { serveBinary } from './serve-binary.ts'
import { wasiHttpWit, wasmtimePath } from './wasmtime-cli.ts'

const server = (directory: string) => `${peerProgramNames.map((name) => `import ${name} from '${directory}/${name}.js'`).join('\n')}
const programs = { ${peerProgramNames.join(', ')} }
const headers = { 'content-type': 'application/json' }
async function handle(request) {
  const main = programs[new URL(request.url).pathname.slice(1)]
  return new Response(JSON.stringify(await main(await request.json())), { headers })
}
addEventListener('fetch', (event) => event.respondWith(handle(event.request)))`

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
  const limits = ['-W', `timeout=${wallMsMax}ms`, '-W', `max-memory-size=${memoryBytesMax}`]
  return serveBinary((port) => ({
    command: wasmtimePath,
    args: ['serve', '-S', 'cli', ...limits, '--addr', `127.0.0.1:${port}`, component],
  }))
})
