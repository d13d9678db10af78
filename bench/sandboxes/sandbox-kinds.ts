// Which sandboxes are measured, in the order of the tables.
import { agentCommand, agentComponent, agentScript, rawWasmtime } from './agents.ts'
import { isolatedVm } from './isolated-vm.ts'
import { isolatedQuickjs, precompiledQuickjs, sharedQuickjs } from './quickjs-emscripten.ts'
import { quickjsWasi } from './quickjs-wasi.ts'
import type { Sandbox } from './sandbox.ts'

export const sandboxKinds = {
  'quickjs-emscripten, isolated': isolatedQuickjs,
  'quickjs-emscripten, compiled once': precompiledQuickjs,
  'quickjs-emscripten, shared': sharedQuickjs,
  'quickjs-wasi': quickjsWasi,
  'isolated-vm': isolatedVm,
  'ours: script': agentScript,
  'ours: component': agentComponent,
  'ours: command (C)': agentCommand,
  'raw Wasmtime (C)': rawWasmtime,
} satisfies Record<string, () => Promise<Sandbox>>

export type SandboxName = keyof typeof sandboxKinds
export const sandboxNames = Object.keys(sandboxKinds) as SandboxName[]
/** What the ratios are of: the way that its documentation advises for strangers' programs. */
export const baseline: SandboxName = 'quickjs-emscripten, isolated'
