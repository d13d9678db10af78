// quickjs-emscripten as its documentation advises for one tenant a run: a Wasm module instance, a runtime and a context of its own, the
// source evaluated as a module, its default export called. No metering, no virtual time, and limits only where they are given.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { newQuickJSWASMModule, newVariant, RELEASE_SYNC, shouldInterruptAfterDeadline } from 'quickjs-emscripten'
import type { QuickJSContext, QuickJSHandle } from 'quickjs-emscripten'

export type QuickJS = Awaited<ReturnType<typeof newQuickJSWASMModule>>

/** A module of its own for each run, as its documentation says to isolate: loaded and compiled each time. */
export function newQuickjs(): Promise<QuickJS> {
  return newQuickJSWASMModule(RELEASE_SYNC)
}

/** The same with the module compiled once, which is not its documented way; @returns what makes an instance of it */
export async function compileQuickjs(): Promise<() => Promise<QuickJS>> {
  const require = createRequire(import.meta.url)
  const wasmModule = await WebAssembly.compile(readFileSync(require.resolve('@jitl/quickjs-wasmfile-release-sync/wasm')))
  return () => newQuickJSWASMModule(newVariant(RELEASE_SYNC, { wasmModule }))
}

export type Script = { context: QuickJSContext; main: QuickJSHandle; call: QuickJSHandle; dispose(): void }

export type ScriptLimits = { memoryBytesMax: number; wallMsMax: number }

/** @param limits none when absent */
export function loadScript(quickjs: QuickJS, source: string, limits?: ScriptLimits): Script {
  const context = quickjs.newContext()
  if (limits) {
    context.runtime.setMemoryLimit(limits.memoryBytesMax)
    context.runtime.setInterruptHandler(shouldInterruptAfterDeadline(Date.now() + limits.wallMsMax))
  }
  const namespace = context.unwrapResult(context.evalCode(source, 'agent.js', { type: 'module' }))
  const main = context.getProp(namespace, 'default')
  const call = context.unwrapResult(context.evalCode('(main, input) => JSON.stringify(main(JSON.parse(input)))'))
  return {
    context,
    main,
    call,
    dispose() {
      for (const handle of [namespace, main, call]) handle.dispose()
      context.dispose()
    },
  }
}

/** @returns the output as JSON text */
export function callScript({ context, main, call }: Script, input: string): string {
  const given = context.newString(input)
  const output = context.unwrapResult(context.callFunction(call, context.undefined, main, given))
  const text = context.getString(output)
  for (const handle of [given, output]) handle.dispose()
  return text
}
