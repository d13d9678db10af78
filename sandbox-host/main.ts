// Starts the sandbox host: the one place where its parts are put together, and where it learns that it has to stop.
import { serve } from '@hono/node-server'
import type { ServerType } from '@hono/node-server'
import { createBucket } from './bucket.ts'
import { ConfigError, readConfig } from './config.ts'
import type { Config } from './config.ts'
import { DrainGate } from './drain-gate.ts'
import { startEngine } from './engines/start-engine.ts'
import { readHostId } from './host-id.ts'
import { Journal, journalDirectory } from './journal.ts'
import { createJudge } from './judge.ts'
import { createLog } from './log.ts'
import type { Log } from './log.ts'
import { Metrics } from './metrics.ts'
import { NonceMemory } from './nonce-memory.ts'
import { createOutcomes } from './outcomes.ts'
import { Programs } from './programs.ts'
import { Readiness } from './readiness.ts'
import { createRunner } from './runner.ts'
import { createServer } from './server.ts'
import { createSignatureCheck } from './signature.ts'
import { createUploader } from './uploader.ts'

const config = configOrExit()
const log = createLog(config.logLevel)
try {
  await startHost(config, log)
} catch (error) {
  log.fatal({ err: error }, 'the host cannot start')
  process.exit(1)
}

function configOrExit(): Config {
  try {
    return readConfig(process.env)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    console.error(`sandbox-host: ${error.message}`)
    process.exit(2)
  }
}

async function startHost(config: Config, log: Log): Promise<void> {
  const host = await readHostId(config.dataDirectory, config.hostName)
  const engine = await startEngine({ ...config.engine, isProduction: config.nodeEnvironment === 'production', log })
  const journal = await Journal.open({ directory: journalDirectory(config.dataDirectory), host, log, bytesMax: config.journalBytesMax })
  const metrics = new Metrics()
  const bucket = createBucket(config.bucket)
  const gate = new DrainGate()
  const { tiers } = config
  const programs = new Programs({ engine, bucket, bytesMax: config.programBytesBudget, metrics })
  const nonces = new NonceMemory()
  const uploader = createUploader({ journal, bucket, log, metrics })
  const outcomes = createOutcomes({ journal, host, workerUrl: config.workerUrl, secret: config.secret, log, metrics })
  const app = createServer({
    run: createRunner({ programs, engine, journal, tiers, metrics }),
    // Two per thread keep every thread busy while a verdict is being compared.
    judge: createJudge({ programs, engine, tiers, parallel: config.engine.threads * 2, judgementsMax: config.judgementsMax, metrics }),
    programs,
    journal,
    metrics,
    readiness: new Readiness({ engine, tiers, journal, bucket, isDraining: () => gate.isDraining }),
    checkSignature: createSignatureCheck({ secret: config.secret, audience: 'host', nonces }),
    gate,
    log,
  })
  metrics.addGauges({ prefix: 'host_engine', help: 'Engine', read: () => engine.stats() })
  metrics.addGauges({ prefix: 'host_journal', help: 'Journal', read: () => ({ ...journal.stats() }) })
  metrics.addGauges({ prefix: 'host_programs', help: 'Loaded programs', read: () => ({ ...programs.stats() }) })
  metrics.addGauges({
    prefix: 'host_requests',
    help: 'Requests that do work',
    read: () => ({ underWay: gate.underWay, nonces: nonces.size }),
  })

  const { server, port } = await listen(app.fetch, config)
  uploader.start()
  outcomes.start()

  let stopping = false
  async function stop(reason: string, exitCode: number): Promise<void> {
    if (stopping) return
    stopping = true
    const until = Date.now() + config.drainGraceMs
    log.info({ reason }, 'draining')
    // A quarter of the grace is kept for handing over what is finished.
    const idle = await gate.drain(config.drainGraceMs * 0.75)
    if (!idle) log.warn({ underWay: gate.underWay }, 'requests are cut off; their callers see a closed connection')
    server.close()
    await journal.seal()
    await Promise.all([uploader.drain(until), outcomes.drain(until)])
    const left = journal.stats()
    await journal.close()
    await engine.close()
    log.info({ unsentRecords: left.unsentRecords, notUploaded: journal.nextToUpload() !== undefined }, 'stopped')
    process.exit(exitCode)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(signal, 0))
  // A starter that was killed cannot send a signal; its end of the channel closes.
  process.on('disconnect', () => void stop('the parent process is gone', 0))
  journal.onChange(() => {
    if (journal.failure) void stop('the journal failed', 1)
  })

  log.info({ host, port, bind: config.bind, engine: engine.label, tiers }, 'listening')
  process.send?.({ type: 'ready', port })
}

function listen(fetch: Parameters<typeof serve>[0]['fetch'], { port, bind }: Config): Promise<{ server: ServerType; port: number }> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, port, hostname: bind }, (info) => resolve({ server, port: info.port }))
    server.on('error', (cause: NodeJS.ErrnoException) => {
      const advice = cause.code === 'EADDRINUSE' ? 'the port is taken: set HOST_PORT to a free one' : 'check HOST_BIND and HOST_PORT'
      reject(new Error(`cannot listen on ${bind}:${port}: ${advice}`, { cause }))
    })
  })
}
