// How a script runs: its functions interpreted, or compiled to machine code where the compiler can (sandbox-host/engine/src/script_compiler). The
// two differ in fuel and time and in nothing else. A version of an agent has one mode, from its deploy on: the same program, input and seed then
// give the same fuel on every host.
import { z } from 'zod'

export const scriptModes = ['interpreted', 'compiled'] as const
export const scriptModeSchema = z.enum(scriptModes).meta({
  description: 'How a script runs: interpreted, or compiled ahead of time; it is fixed with the version, and decides the fuel',
})
export type ScriptMode = z.infer<typeof scriptModeSchema>

/** Of new versions whose author leaves it to the host, on hosts that do not set SCRIPT_COMPILER: the one line that says whether scripts are compiled unasked. */
export const scriptModeDefault: ScriptMode = 'interpreted'
