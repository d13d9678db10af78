// Child: quickjs-emscripten behind Hono, as its documentation says to isolate strangers: a WebAssembly module instance of their own, with a limit on memory and
// an interrupt at the deadline. The module is compiled once, which is faster than its documented way. It runs on Node's one thread.
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { runChild } from '../../local/run-child.ts'
import { isPeerProgram, peerSettings, readPeerPrograms } from './peer-programs.ts'
import { callScript, compileQuickjs, loadScript } from './quickjs-emscripten.ts'

await runChild(async () => {
  const { directory, wallMsMax, memoryBytesMax } = peerSettings()
  const programs = await readPeerPrograms(directory)
  const newQuickjs = await compileQuickjs()
  const app = new Hono()
  app.post('/:program', async (c) => {
    const program = c.req.param('program')
    if (!isPeerProgram(program)) return c.notFound()
    const input = await c.req.text()
    const quickjs = await newQuickjs()
    try {
      // Whatever is left in it goes with the instance.
      const script = loadScript(quickjs, programs[program], { memoryBytesMax, wallMsMax })
      return c.body(callScript(script, input), 200, { 'content-type': 'application/json' })
    } catch (error) {
      return c.json({ error: String(error) }, 422)
    }
  })
  const { promise: listening, resolve } = Promise.withResolvers<number>()
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => resolve(port))
  return { port: await listening, stop: async () => void server.close() }
})
