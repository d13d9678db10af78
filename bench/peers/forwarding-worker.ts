// Child: the least that an execution through a Worker can be, in workerd through miniflare as ours is: reads the body, posts it to a server of
// Node's in this process, which answers with as many bytes as an outcome has, and passes the answer on. No keys, no signatures, no sandbox, no
// disk, no records.
import { createServer } from 'node:http'
import { once } from 'node:events'
import { Miniflare } from 'miniflare'
import { claimPorts, loopback } from '../../local/free-port.ts'
import { runChild } from '../../local/run-child.ts'

/** Of an outcome with its receipt. */
const answerBytes = 1_500

const script = `
  const headers = { 'content-type': 'application/json' }
  export default {
    async fetch(request, { HOST }) {
      const answer = await fetch(HOST, { method: 'POST', headers, body: await request.arrayBuffer() })
      return new Response(await answer.text(), { headers })
    },
  }`

await runChild(async () => {
  const [port = 0, directPort = 0, hostPort = 0] = await claimPorts(Array.from({ length: 3 }, () => ({ port: 0, variable: '' })))
  const text = JSON.stringify({ output: 'x'.repeat(answerBytes - '{"output":""}'.length) })
  const host = createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
    request.resume().on('end', () => response.setHeader('content-type', 'application/json').end(text))
  }).listen(hostPort, loopback)
  await once(host, 'listening')
  const miniflare = new Miniflare({
    modules: true,
    script,
    bindings: { HOST: `http://${loopback}:${hostPort}/` },
    compatibilityDate: '2026-07-01',
    host: loopback,
    port,
    unsafeDirectSockets: [{ host: loopback, port: directPort }],
    cf: false,
    logRequests: false,
  })
  await miniflare.ready
  return {
    port: directPort,
    stop: async () => {
      await miniflare.dispose()
      host.closeAllConnections()
      host.close()
    },
  }
})
