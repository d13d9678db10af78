// The mode of a version that is being made: its author's wish, or what this host does. Once it has one, every host runs it so.
import { ProblemError } from '../shared/problem.ts'
import type { Program } from '../shared/agent.ts'
import type { SandboxEngine } from './sandbox-engine.ts'

/** SCRIPT_COMPILER: new versions are compiled, where their author asks for it, or not at all. */
export const compilerUses = ['on', 'asked', 'off'] as const
export type CompilerUse = (typeof compilerUses)[number]

export type ModeConditions = {
  compiler: CompilerUse
  engine: Pick<SandboxEngine, 'label' | 'compiledLabel'>
}

/** @throws ProblemError `engine-unsupported` when it is to be compiled and this host compiles none */
export function withNewVersionMode(program: Program, { compiler, engine }: ModeConditions): Program {
  if (program.kind !== 'script') return program
  const compiles = compiler !== 'off' && engine.compiledLabel !== undefined
  const scriptMode = program.scriptMode ?? (compiles && compiler === 'on' ? 'compiled' : 'interpreted')
  if (scriptMode === 'compiled' && !compiles) {
    const why = engine.compiledLabel === undefined ? `its engine, ${engine.label}, has no compiler` : 'SCRIPT_COMPILER is off'
    throw new ProblemError('engine-unsupported', {
      detail: `this host compiles no new scripts: ${why}; without the scriptMode "compiled" the version is interpreted`,
    })
  }
  return { ...program, scriptMode }
}
