// Child: one sandbox, which takes its turn when the parent says so. A process each, so that what one leaves to collect or to compile in the
// background is not another's.
import { programsMessage, turnMessage, type FromSandbox } from './sandbox-messages.ts'
import { sandboxKinds, type SandboxName } from './sandbox-kinds.ts'
import type { Sandbox, SandboxProgram } from './sandbox.ts'

const kind = sandboxKinds[process.argv[2] as SandboxName]
const say = (message: FromSandbox) => process.send?.(message)
let sandbox: Sandbox
const programs = new Map<string, SandboxProgram>()

process.on('message', (message) => {
  void answer(message).catch((error: unknown) => {
    console.error(error)
    process.exit(1)
  })
})
process.on('disconnect', () => process.exit(0))

async function answer(message: unknown): Promise<void> {
  const load = programsMessage.safeParse(message)
  if (load.success) {
    say({ type: 'loaded', refused: await loadAll(load.data.programs) })
    return
  }
  const { names } = turnMessage.parse(message)
  const samples = []
  for (const name of names) {
    const program = programs.get(name)
    if (program) samples.push({ name, ...(await sandbox.sample(program)) })
  }
  say({ type: 'sampled', samples })
}

/** @returns those that it cannot run, with the reason */
async function loadAll(given: SandboxProgram[]): Promise<Record<string, string>> {
  sandbox = await kind()
  const refused: Record<string, string> = {}
  for (const program of given) {
    try {
      await sandbox.load(program)
      await sandbox.sample(program)
      programs.set(program.name, program)
    } catch (error) {
      refused[program.name] = error instanceof Error ? error.message : String(error)
    }
  }
  return refused
}
