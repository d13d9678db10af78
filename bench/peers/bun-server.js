// Bun's server: Workers with the smaller heap that its guide offers. They may touch whatever the server may.
import { workerHandler } from './worker-handler.js'

const [port, directory, wallMsMax] = process.argv.slice(2)
const fetch = workerHandler({
  wallMsMax: Number(wallMsMax),
  startWorker: (program) => new Worker(`${directory}/${program}.worker.js`, { smol: true }),
})
Bun.serve({ port: Number(port), hostname: '127.0.0.1', fetch })
