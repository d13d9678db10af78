// Puts a server of a test on a free port of this machine.
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export type TestServer = { url: string; stop: () => Promise<void> }

export async function serveOnFreePort(server: Server, path = ''): Promise<TestServer> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A TCP server that listens has an address of this form.
  const { port } = server.address() as AddressInfo
  const stop = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { url: `http://127.0.0.1:${port}${path}`, stop }
}
