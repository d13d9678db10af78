// Chooses the engine. Wasmtime wherever it loads; elsewhere, in development only and never unnoticed, the QuickJS fallback.
import type { Log } from '../log.ts'
import type { SandboxEngine } from '../sandbox-engine.ts'
import { createFallbackEngine } from './quickjs-fallback.ts'
import type { WasmtimeOptions } from './wasmtime.ts'

export type EngineOptions = WasmtimeOptions & {
  choice: 'auto' | 'wasmtime' | 'quickjs'
  isProduction: boolean
  log: Log
}

/** @throws Error when the engine that is needed does not load */
export async function startEngine(options: EngineOptions): Promise<SandboxEngine> {
  const { choice, isProduction } = options
  if (choice === 'quickjs' && isProduction)
    throw new Error('ENGINE=quickjs is for development; with NODE_ENV=production only wasmtime runs')
  if (choice === 'quickjs') return fallback(options, 'ENGINE=quickjs asks for it')
  try {
    // Loaded only where it is wanted: the fallback must run where the native engine was never built.
    const { createWasmtimeEngine } = await import('./wasmtime.ts')
    return await createWasmtimeEngine(options)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause)
    if (choice === 'wasmtime' || isProduction) throw new Error(`the Wasmtime engine at ${options.path} does not load: ${reason}`, { cause })
    return fallback(options, `the Wasmtime engine does not load (${reason})`)
  }
}

function fallback(options: EngineOptions, reason: string): Promise<SandboxEngine> {
  const line = '!'.repeat(88)
  console.error(
    [
      line,
      '!!  The sandbox runs on its FALLBACK engine, QuickJS in a worker thread. Development only:',
      '!!  scripts only, no fuel, no reproducible receipts, milliseconds instead of microseconds.',
      `!!  Reason: ${reason}.`,
      '!!  To get the real engine: install Rust (rustup.rs), then run npm run setup.',
      line,
    ].join('\n'),
  )
  return createFallbackEngine(options)
}
