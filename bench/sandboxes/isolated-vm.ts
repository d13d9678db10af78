// isolated-vm: an isolate of V8 with a context for each run, as its documentation says, with V8's optimising compilers. Its memory limit is
// on (by its documentation no boundary by itself), nothing is metered. Needs `node --no-node-snapshot`.
import { createRequire } from 'node:module'
import type IsolatedVm from 'isolated-vm'
import { timed, type Sandbox } from './sandbox.ts'

export async function isolatedVm(): Promise<Sandbox> {
  // Loaded here, where the flag that it needs is given: it ends any other process.
  const ivm = createRequire(import.meta.url)('isolated-vm') as typeof IsolatedVm
  return {
    load: async () => {},
    sample: async ({ source, input }) => {
      const began = performance.now()
      const isolate = new ivm.Isolate({ memoryLimit: 128 })
      try {
        const context = isolate.createContextSync()
        const module = isolate.compileModuleSync(source)
        module.instantiateSync(context, (specifier) => {
          throw new Error(`there is no "${specifier}"`)
        })
        module.evaluateSync()
        const main = module.namespace.getSync('default', { reference: true })
        const call = context.evalSync('(main, input) => JSON.stringify(main(JSON.parse(input)))', { reference: true })
        const startMs = performance.now() - began
        const { value: output, ms: runMs } = timed(() => call.applySync(undefined, [main.derefInto(), input], { result: { copy: true } }))
        return { startMs, runMs, output: String(output) }
      } finally {
        isolate.dispose()
      }
    },
  }
}
