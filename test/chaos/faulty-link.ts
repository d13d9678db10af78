// A TCP connection that goes wrong on demand: stands between a caller and a part of the cloud and passes bytes on, late, or not at all.
//
//   slow          every piece of either direction comes late
//   half-open     connections stay, new ones are taken, and nothing comes through; they are cut at the end
//   lose-answers  requests arrive, and the connection is cut in place of the answer
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { loopback } from '../../local/free-port.ts'

export type LinkState = 'open' | 'slow' | 'half-open' | 'lose-answers'

export type FaultyLink = {
  port: number
  set: (state: LinkState) => void
  close: () => Promise<void>
}

const lateMs = 150

export async function openFaultyLink(target: number): Promise<FaultyLink> {
  let state: LinkState = 'open'
  const sockets = new Set<Socket>()
  /** Those that owe bytes to somebody: they cannot go on as if nothing had been. */
  const broken = new Set<Socket>()

  const server = createServer((caller) => {
    const part = createConnection({ host: loopback, port: target })
    const cut = () => {
      caller.destroy()
      part.destroy()
    }
    for (const socket of [caller, part]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', cut)
      socket.on('close', () => {
        sockets.delete(socket)
        broken.delete(socket)
        cut()
      })
    }
    relay(caller, part, async () => {
      if (state === 'slow') await sleep(lateMs)
      return state !== 'half-open'
    })
    relay(part, caller, async () => {
      if (state === 'slow') await sleep(lateMs)
      if (state === 'lose-answers') cut()
      return state !== 'half-open'
    })
  })

  /** @param mayPass false: neither this piece nor what follows it is passed on */
  function relay(from: Socket, to: Socket, mayPass: () => Promise<boolean>) {
    let before = Promise.resolve()
    const inOrder = async (earlier: Promise<void>, step: () => void) => {
      await earlier
      if (broken.has(from)) return
      if (!(await mayPass())) broken.add(from)
      else if (!to.destroyed) step()
    }
    const enqueue = (step: () => void) => {
      before = inOrder(before, step)
    }
    from.on('data', (piece) => {
      from.pause()
      enqueue(() => {
        if (to.write(piece)) from.resume()
        else to.once('drain', () => from.resume())
      })
    })
    from.on('end', () => enqueue(() => to.end()))
  }

  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, loopback, resolve))
  return {
    port: (server.address() as AddressInfo).port,
    set: (next) => {
      state = next
      if (next === 'half-open') return
      for (const socket of broken) socket.destroy()
    },
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
