// Child: workerd as its documentation says: a configuration with a Worker, and so an isolate, for each program, and a router in front that reaches
// them by service bindings. Isolates live on between requests; neither memory nor CPU time is limited in the open runtime.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runChild } from '../../local/run-child.ts'
import { peerProgramNames, peerSettings, readPeerPrograms } from './peer-programs.ts'
import { serveBinary } from './serve-binary.ts'

const compatibilityDate = '2026-07-01'

const router = `export default { fetch: (request, env) => env[new URL(request.url).pathname.slice(1)].fetch(request) }`
const agent = (name: string) => `import main from '${name}.js'
const headers = { 'content-type': 'application/json' }
export default { fetch: async (request) => new Response(JSON.stringify(await main(await request.json())), { headers }) }`

const config = (port: number) => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "router", worker = .router), ${peerProgramNames.map((name) => `(name = "${name}", worker = .${name})`).join(', ')}],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "router")]
);
const router :Workerd.Worker = (
  modules = [(name = "router", esModule = embed "router.js")],
  bindings = [${peerProgramNames.map((name) => `(name = "${name}", service = "${name}")`).join(', ')}],
  compatibilityDate = "${compatibilityDate}"
);
${peerProgramNames
  .map(
    (name) => `const ${name} :Workerd.Worker = (
  modules = [(name = "agent", esModule = embed "${name}.agent.js"), (name = "${name}.js", esModule = embed "${name}.js")],
  compatibilityDate = "${compatibilityDate}"
);`,
  )
  .join('\n')}
`

/** The one that miniflare runs, so that both sides have the same version. */
function findWorkerd(): string {
  const require = createRequire(import.meta.url)
  const { default: path } = createRequire(require.resolve('miniflare'))('workerd') as { default: string }
  return path
}

await runChild(async () => {
  const programs = await readPeerPrograms(peerSettings().directory)
  const directory = await mkdtemp(join(tmpdir(), 'bounty-workerd-'))
  const write = (name: string, text: string) => writeFile(join(directory, name), text)
  await write('router.js', router)
  for (const name of peerProgramNames) {
    await write(`${name}.js`, programs[name])
    await write(`${name}.agent.js`, agent(name))
  }
  const running = await serveBinary(async (port) => {
    await write('config.capnp', config(port))
    return { command: findWorkerd(), args: ['serve', join(directory, 'config.capnp')] }
  })
  return {
    ...running,
    stop: async () => {
      await running.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
})
