// A peer that is a program of its own: started under the child that `run-child.ts` ends with its starter, ready when its port takes connections.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { claimPorts, loopback } from '../../local/free-port.ts'
import type { RunningChild } from '../../local/run-child.ts'

const readyWallMsMax = 30_000
const pollEveryMs = 20

export type Binary = { command: string; args: string[]; cwd?: string }

/** @param of what to start, given a free port of the loopback address */
export async function serveBinary(of: (port: number) => Binary | Promise<Binary>): Promise<RunningChild> {
  const [port = 0] = await claimPorts([{ port: 0, variable: '' }])
  const { command, args, cwd } = await of(port)
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'], ...(cwd === undefined ? {} : { cwd }) })
  const ended = once(child, 'exit')
  // A guest's endless loop may keep it from hearing anything gentler.
  process.on('exit', () => child.kill('SIGKILL'))
  const deadline = performance.now() + readyWallMsMax
  while (!(await takesConnections(port))) {
    if (child.exitCode !== null || performance.now() > deadline) throw new Error(`${command} did not listen on port ${port}`)
    await new Promise((resolve) => setTimeout(resolve, pollEveryMs))
  }
  return {
    port,
    stop: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: loopback })
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
