// Starts the process of a sandbox and gives it turns.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { fromSandbox, type Sampled } from './sandbox-messages.ts'
import type { SandboxName } from './sandbox-kinds.ts'
import type { SandboxProgram } from './sandbox.ts'

export type StartedSandbox = {
  name: SandboxName
  /** Programs that it cannot run, with the reason. */
  refused: Record<string, string>
  /** Runs each of the programs once that it can run. */
  turn(names: string[]): Promise<Sampled[]>
  stop(): Promise<void>
}

export async function startSandbox(name: SandboxName, programs: SandboxProgram[]): Promise<StartedSandbox> {
  const file = fileURLToPath(new URL('run-sandbox.ts', import.meta.url))
  // isolated-vm asks for it; to the others it makes no difference once they run.
  const child = fork(file, [name], { execArgv: ['--no-node-snapshot'] })
  const ended = once(child, 'exit')
  async function ask(message: object) {
    child.send(message)
    const [answer] = await Promise.race([
      once(child, 'message'),
      ended.then(([code]) => {
        throw new Error(`the process of ${name} ended with ${code}`)
      }),
    ])
    return fromSandbox.parse(answer)
  }
  async function stop() {
    child.kill('SIGKILL')
    await ended
  }
  try {
    const loaded = await ask({ type: 'load', programs })
    return {
      name,
      refused: loaded.type === 'loaded' ? loaded.refused : {},
      async turn(names) {
        const answer = await ask({ type: 'turn', names })
        return answer.type === 'sampled' ? answer.samples : []
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
