// Child: isolated-vm behind Express, as its documentation says: an isolate of V8 for each request with a limit on memory, asynchronous calls that run on
// threads of its own, and a timeout on each. Needs `node --no-node-snapshot`.
import type { AddressInfo } from 'node:net'
import { createRequire } from 'node:module'
import express from 'express'
import type IsolatedVm from 'isolated-vm'
import { runChild } from '../../local/run-child.ts'
import { isPeerProgram, peerSettings, readPeerPrograms } from './peer-programs.ts'

await runChild(async () => {
  const ivm = createRequire(import.meta.url)('isolated-vm') as typeof IsolatedVm
  const { directory, wallMsMax: timeout, memoryBytesMax } = peerSettings()
  const programs = await readPeerPrograms(directory)

  async function run(source: string, input: string): Promise<string> {
    const isolate = new ivm.Isolate({ memoryLimit: memoryBytesMax / 2 ** 20 })
    try {
      const context = await isolate.createContext()
      const module = await isolate.compileModule(source)
      await module.instantiate(context, (specifier) => {
        throw new Error(`there is no "${specifier}"`)
      })
      await module.evaluate({ timeout })
      const main = await module.namespace.get('default', { reference: true })
      const call = await context.eval('(main, input) => JSON.stringify(main(JSON.parse(input)))', { reference: true })
      return String(await call.apply(undefined, [main.derefInto(), input], { timeout, result: { copy: true } }))
    } finally {
      isolate.dispose()
    }
  }

  const app = express()
  app.use(express.text({ type: 'application/json' }))
  // oxlint-disable-next-line oxc/no-async-endpoint-handlers -- Express 5 waits for it
  app.post('/:program', async (request, response) => {
    const { program } = request.params
    if (!isPeerProgram(program)) return void response.status(404).end()
    try {
      response.type('json').send(await run(programs[program], String(request.body)))
    } catch (error) {
      response.status(422).json({ error: String(error) })
    }
  })
  const server = app.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  return {
    // A TCP server's address is never a path.
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      server.close()
      server.closeAllConnections()
    },
  }
})
