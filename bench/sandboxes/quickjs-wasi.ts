// quickjs-wasi on V8, as its documentation says: the module compiled once, an instance for each run.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { EvalFlags, QuickJS } from 'quickjs-wasi'
import { timed, type Sandbox } from './sandbox.ts'

export async function quickjsWasi(): Promise<Sandbox> {
  const wasm = await WebAssembly.compile(readFileSync(createRequire(import.meta.url).resolve('quickjs-wasi/quickjs.wasm')))
  return {
    load: async () => {},
    sample: async ({ source, input }) => {
      const began = performance.now()
      using vm = await QuickJS.create({ wasm })
      using evaluated = vm.evalCode(source, 'agent.js', EvalFlags.TYPE_MODULE)
      const answering = vm.resolvePromise(evaluated)
      vm.executePendingJobs()
      const answered = await answering
      if ('error' in answered) throw new Error(`the module threw ${answered.error.toString()}`)
      using namespace = answered.value
      using main = namespace.getProp('default')
      using call = vm.evalCode('(main, input) => JSON.stringify(main(JSON.parse(input)))')
      const startMs = performance.now() - began
      const { value: output, ms: runMs } = timed(() => {
        using text = vm.newString(input)
        using result = vm.callFunction(call, vm.undefined, main, text)
        return result.toString()
      })
      return { startMs, runMs, output }
    },
  }
}
