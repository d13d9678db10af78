// Child: the least that a Worker can be, in workerd through miniflare as ours is. What it answers per second on its direct socket is what
// the platform costs on this machine.
import { Miniflare } from 'miniflare'
import { claimPorts, loopback } from '../../local/free-port.ts'
import { runChild } from '../../local/run-child.ts'

const script = `
  const headers = { 'content-type': 'application/json' }
  export default { fetch: () => new Response('{"status":"ok"}', { headers }) }`

await runChild(async () => {
  const [port = 0, directPort = 0] = await claimPorts([
    { port: 0, variable: '' },
    { port: 0, variable: '' },
  ])
  const miniflare = new Miniflare({
    modules: true,
    script,
    compatibilityDate: '2026-07-01',
    host: loopback,
    port,
    unsafeDirectSockets: [{ host: loopback, port: directPort }],
    cf: false,
    logRequests: false,
  })
  await miniflare.ready
  return { port: directPort, stop: () => miniflare.dispose() }
})
