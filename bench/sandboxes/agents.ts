// Our sandbox, an agent of each kind in an instance of its own for each run, all limits on, loaded but not pooled: script (the program as it
// is), component (the same program as `jco componentize` makes it), command (the five workloads of the sheet in C), and raw Wasmtime: the
// same command under the same instruments (fuel, yields) with nothing of ours around it.
import { readFileSync } from 'node:fs'
import { runLimits } from '../../sandbox-host/sandbox-engine.ts'
import { tiers } from '../../shared/tiers.ts'
import type { ProgramKind } from '../../sandbox-host/engine/native-engine.ts'
import { createNativeForBench } from '../native.ts'
import { programsComponent } from './programs-component.ts'
import { sheetPrograms } from '../workloads/sheet-programs.ts'
import type { Sandbox, SandboxProgram } from './sandbox.ts'

const limits = runLimits('basic')

export async function agentScript(): Promise<Sandbox> {
  return agentSandbox((program) => ({ kind: 'script', code: Buffer.from(program.source), input: program.input }))
}

export async function agentComponent(): Promise<Sandbox> {
  const code = await programsComponent(sheetPrograms)
  return agentSandbox((program) => ({ kind: 'component', code, input: namedInput(program) }))
}

export async function agentCommand(): Promise<Sandbox> {
  return agentSandbox((program) => ({ kind: 'command', code: command, input: namedInput(program) }))
}

type Prepared = { kind: ProgramKind; code: Buffer; input: string }

function agentSandbox(prepare: (program: SandboxProgram) => Prepared): Sandbox {
  const native = createNativeForBench({ threads: 1, warmPerProgram: 0, warmTotal: 0 })
  const handles = new Map<Buffer | string, number>()
  return {
    async load(program) {
      await handleOf(prepare(program))
    },
    async sample(program) {
      const prepared = prepare(program)
      const handle = await handleOf(prepared)
      const began = performance.now()
      const outcome = await native.run(handle, { input: prepared.input, seed: 0, startTimeMs: 0, limits })
      const elapsedMs = performance.now() - began
      if (outcome.output === undefined) throw new Error(`${outcome.status}: ${outcome.error?.message}`)
      const runMs = (outcome.wallMicros - outcome.startMicros) / 1e3
      return { startMs: Math.max(0, elapsedMs - runMs), runMs, output: outcome.output }
    },
    close: () => native.close(),
  }

  async function handleOf({ kind, code }: Prepared): Promise<number> {
    const key = kind === 'script' ? code.toString() : code
    const known = handles.get(key)
    if (known !== undefined) return known
    const prepared = await native.prepare(kind, code, { ...limits, memoryBytes: tiers.basic.memoryBytesMax })
    if (!prepared.ok) throw new Error(prepared.message)
    handles.set(key, prepared.handle)
    return prepared.handle
  }
}

/** Its start is what the same program takes when it has nothing to do. */
export async function rawWasmtime(): Promise<Sandbox> {
  const native = createNativeForBench({ threads: 1, warmPerProgram: 0, warmTotal: 0 })
  const prepared = await native.prepare('command', command, limits)
  if (!prepared.ok) throw new Error(prepared.message)
  const { handle } = prepared
  const millis = (input: string) => native.benchRaw(handle, { input, seed: 0, startTimeMs: 0, limits }, 1).p50Nanos / 1e6
  return {
    load: async (program) => {
      namedInput(program)
    },
    sample: async (program) => {
      const input = namedInput(program)
      // It tells no output: that of the same module with our parts around it is compared.
      const { output = '' } = await native.run(handle, { input, seed: 0, startTimeMs: 0, limits })
      const startMs = millis('{"program":"nothing","input":{"n":0}}')
      return { startMs, runMs: Math.max(0, millis(input) - startMs), output }
    },
    close: () => native.close(),
  }
}

const command = readFileSync(new URL('../workloads/command/workloads.wasm', import.meta.url))
const sheetNames = new Set(sheetPrograms.map(({ name }) => name))

/** One module and one component hold all workloads of the sheet, and nothing else. */
function namedInput({ name, input }: SandboxProgram): string {
  if (!sheetNames.has(name)) throw new Error(`only the workloads of the sheet were built for it, "${name}" was not`)
  return `{"program":${JSON.stringify(name)},"input":${input}}`
}
