// Deno's server: a Worker that may touch nothing (`permissions: 'none'`, as its guide to Workers says).
import { workerHandler } from './worker-handler.js'

const [port, directory, wallMsMax] = Deno.args
const options = { type: 'module', deno: { permissions: 'none' } }
const handle = workerHandler({
  wallMsMax: Number(wallMsMax),
  startWorker: (program) => new Worker(new URL(`file://${directory}/${program}.worker.js`), options),
})
Deno.serve({ port: Number(port), hostname: '127.0.0.1', onListen() {} }, handle)
