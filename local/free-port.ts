// Ports of the local cloud: which are free, and, for one that is not, who has it, in one line that says what to do.
import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { createServer, type Server } from 'node:net'

export const loopback = '127.0.0.1'

export type PortWish = {
  /** 0 = any that is free. */
  port: number
  /** The environment variable that moves it. */
  variable: string
}

/** All wishes at once, held open until the last is known, so that no two get the same port. Throws for one that is taken. */
export async function claimPorts(wishes: PortWish[]): Promise<number[]> {
  const servers: Server[] = []
  try {
    for (const wish of wishes) servers.push(await listen(wish))
    return servers.map(portOf)
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  }
}

function listen({ port, variable }: PortWish): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => reject(new Error(portAdvice({ port, variable }, error.code))))
    server.listen({ port, host: loopback }, () => resolve(server))
  })
}

function portAdvice({ port, variable }: PortWish, code: string | undefined): string {
  if (code === 'EACCES') return `port ${port} needs privileges here: set ${variable} to one above 1023.`
  const holder = whoListens(port)
  return `port ${port} is in use${holder ? ` by ${holder}` : ''}: stop it, or set ${variable} to another port (0 = any free one).`
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server has an address with a port')
  return address.port
}

/** `name (pid n)` where the system tells. */
export function whoListens(port: number): string | undefined {
  try {
    if (process.platform === 'linux') return whoListensOnLinux(port)
    const [pid, name] = execFileSync('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], { encoding: 'utf8' }).split('\n')
    return pid && name ? `${name.slice(1)} (pid ${pid.slice(1)})` : undefined
  } catch {
    return undefined
  }
}

/** https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html: state 0A is listening, the tenth column is the inode. */
function whoListensOnLinux(port: number): string | undefined {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const rows = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => readFileSync(file, 'utf8').split('\n').slice(1))
  const row = rows.map((line) => line.trim().split(/\s+/)).find((columns) => columns[1]?.endsWith(suffix) && columns[3] === '0A')
  const inode = row?.[9]
  if (inode === undefined) return undefined
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    if (socketsOf(pid).includes(`socket:[${inode}]`)) return `${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()} (pid ${pid})`
  }
  return undefined
}

function socketsOf(pid: string): string[] {
  const orNothing = <T>(read: () => T, nothing: T) => {
    try {
      return read()
    } catch {
      // Another user's process, or one that is gone meanwhile.
      return nothing
    }
  }
  const descriptors = orNothing(() => readdirSync(`/proc/${pid}/fd`), [])
  return descriptors.map((descriptor) => orNothing(() => readlinkSync(`/proc/${pid}/fd/${descriptor}`), ''))
}
