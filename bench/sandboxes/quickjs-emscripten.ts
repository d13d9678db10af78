// quickjs-emscripten on V8. Isolated is a Wasm module of its own for each run, as its documentation says for one tenant a run; precompiled
// the same with the module compiled once, which is not its documented way; shared one module for all runs and a context for each, which
// isolates nothing that a bug in the interpreter could reach.
import { callScript, compileQuickjs, loadScript, newQuickjs, type QuickJS } from '../peers/quickjs-emscripten.ts'
import { timed, type Sandbox } from './sandbox.ts'

export async function sharedQuickjs(): Promise<Sandbox> {
  const quickjs = await newQuickjs()
  return sandboxOf(async () => quickjs)
}

export async function isolatedQuickjs(): Promise<Sandbox> {
  return sandboxOf(newQuickjs)
}

export async function precompiledQuickjs(): Promise<Sandbox> {
  return sandboxOf(await compileQuickjs())
}

function sandboxOf(moduleFor: () => Promise<QuickJS>): Sandbox {
  return {
    load: async () => {},
    sample: async ({ source, input }) => {
      const began = performance.now()
      const script = loadScript(await moduleFor(), source)
      const startMs = performance.now() - began
      const { value: output, ms: runMs } = timed(() => callScript(script, input))
      script.dispose()
      return { startMs, runMs, output }
    },
  }
}
