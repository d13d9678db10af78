// The host as a process: reads the environment, chooses the engine, starts, and learns from signals or its parent when to stop.
import { compilerSecondsMax, createBoundedProcesses } from './bounded-process.ts'
import { CodeStore } from './code-store.ts'
import { ConfigError, readConfig } from './config.ts'
import type { Config } from './config.ts'
import { startEngine } from './engines/start-engine.ts'
import { startHost } from './host.ts'
import { createLog } from './log.ts'

const config = configOrExit()
const log = createLog(config.logLevel)

try {
  const processes = createBoundedProcesses({
    memoryBytesMax: config.compilerBytesMax,
    secondsMax: compilerSecondsMax,
    processesMax: config.engine.threads,
  })
  const codeStore = await CodeStore.open({ dataDirectory: config.dataDirectory, bytesMax: config.codeBytesMax })
  const isProduction = config.nodeEnvironment === 'production'
  const engine = await startEngine({ ...config.engine, isProduction, processes, codeStore, log })
  const host = await startHost({ config, engine, processes, codeStore, log, onJournalFailure: () => stop('the journal failed', 1) })

  let isStopping = false
  function stop(reason: string, exitCode: number): void {
    if (isStopping) return
    isStopping = true
    log.info({ reason }, 'draining')
    // A stop that hangs is ended: whoever sent the signal waits no longer than this before it kills.
    setTimeout(() => process.exit(1), config.drainGraceMs + 2_000).unref()
    host.stop().then(
      () => process.exit(exitCode),
      (error: unknown) => {
        log.error({ err: error }, 'stopping failed')
        process.exit(1)
      },
    )
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop(signal, 0))
  // A starter that was killed cannot send a signal, but its end of the channel closes.
  process.on('disconnect', () => stop('the parent process is gone', 0))
  process.send?.({ type: 'ready', port: host.port })
} catch (error) {
  log.debug({ err: error }, 'the host cannot start')
  console.error(`sandbox-host: ${error instanceof Error ? error.message : String(error)}`)
  process.exit(1)
}

function configOrExit(): Config {
  try {
    return readConfig(process.env)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    console.error(`sandbox-host: ${error.message}`)
    return process.exit(2)
  }
}
