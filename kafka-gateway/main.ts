// The gateway as a process: reads the environment, starts, and learns from signals or its parent when to stop.
import { ConfigError, readConfig, type Config } from './config.ts'
import { startGateway } from './gateway.ts'
import { createLog } from './log.ts'

const config = configOrExit()
const log = createLog(config.logLevel)

try {
  const gateway = await startGateway({ config, log })
  let isStopping = false
  const stop = (reason: string) => {
    if (isStopping) return
    isStopping = true
    log.info({ reason }, 'draining')
    // A stop that hangs is ended: whoever sent the signal waits no longer than this before it kills.
    setTimeout(() => process.exit(1), config.drainGraceMs + 5_000).unref()
    gateway.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'stopping failed')
        process.exit(1)
      },
    )
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop(signal))
  // A starter that was killed cannot send a signal, but its end of the channel closes.
  process.on('disconnect', () => stop('the parent process is gone'))
  process.send?.({ type: 'ready', port: gateway.port })
} catch (error) {
  console.error(`kafka-gateway: ${error instanceof Error ? error.message : String(error)}`)
  process.exit(1)
}

function configOrExit(): Config {
  try {
    return readConfig(process.env)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    console.error(`kafka-gateway: ${error.message}`)
    return process.exit(2)
  }
}
