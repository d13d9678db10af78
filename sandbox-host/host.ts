// The whole host as one value: its parts put together around an engine, listening, and able to stop without losing anything.
import { serve } from '@hono/node-server'
import type { ServerType } from '@hono/node-server'
import { Admission } from './admission.ts'
import type { BoundedProcesses } from './bounded-process.ts'
import { createBucket } from './bucket.ts'
import { createCanary } from './canary.ts'
import type { CodeStore } from './code-store.ts'
import { createClaimedRuns } from './claimed-runs.ts'
import { createScriptCompiler } from './compile-script.ts'
import type { Config } from './config.ts'
import { lockData } from './data-lock.ts'
import { DrainGate } from './drain-gate.ts'
import { createEventConsumers } from './event-consumers.ts'
import { createGuests } from './guests.ts'
import { createHeartbeat } from './heartbeat.ts'
import { readHostId } from './host-id.ts'
import { Journal, journalDirectory } from './journal.ts'
import { createJudge } from './judge.ts'
import type { Log } from './log.ts'
import { Metrics } from './metrics.ts'
import { NonceMemory } from './nonce-memory.ts'
import { createOutcomes } from './outcomes.ts'
import { Programs } from './programs.ts'
import { Readiness } from './readiness.ts'
import { readReceiptKey } from './receipt-key.ts'
import { createRunner } from './runner.ts'
import type { SandboxEngine } from './sandbox-engine.ts'
import { createServer } from './server.ts'
import { createJudgementSigner } from './sign-judgement.ts'
import { createReceiptSigner } from './sign-receipt.ts'
import { createSignatureCheck } from './signature.ts'
import { createUploader } from './uploader.ts'
import { createWorkerClient } from './worker-client.ts'

export type Host = {
  /** Name in bundles and batches. */
  name: string
  port: number
  /** Refuses work, finishes what runs, hands over what is finished, closes. Bounded by the configured grace. */
  stop: () => Promise<void>
}

export type HostOptions = {
  config: Config
  engine: SandboxEngine
  /** Where programs are compiled. */
  processes: BoundedProcesses
  /** Without it every start compiles anew. */
  codeStore?: CodeStore | undefined
  log: Log
  /** Told once, when the journal can keep nothing more. */
  onJournalFailure?: () => void
}

export async function startHost({ config, engine, processes, codeStore, log, onJournalFailure }: HostOptions): Promise<Host> {
  const beganAt = Date.now()
  // As long as a former host may take to drain.
  const lock = await lockData(config.dataDirectory, { waitMs: config.drainGraceMs + 5_000, log })
  const name = await readHostId(config.dataDirectory, config.hostName)
  const journal = await Journal.open({
    directory: journalDirectory(config.dataDirectory),
    host: name,
    log,
    bytesMax: config.journalBytesMax,
    diskFreeBytesMin: config.diskFreeBytesMin,
  })
  const receiptKey = await readReceiptKey(config.dataDirectory, config.receiptKey)
  const metrics = new Metrics(name)
  const bucket = createBucket(config.bucket)
  const { tiers, secret } = config
  const compileScript = createScriptCompiler(processes)
  const admission = new Admission(config.admission, { observer: metrics })
  const guests = createGuests({ admission, engine, waitMsMax: config.queueWaitMsMax, metrics })
  const programs = new Programs({ engine, guests, bucket, compileScript, codeStore, bytesMax: config.programBytesBudget, metrics })
  const nonces = new NonceMemory()
  const uploader = createUploader({ journal, bucket, log, metrics })
  const outcomes = createOutcomes({ journal, host: name, workerUrl: config.workerUrl, secret, receiptKey, log, metrics })
  const load = () => admission.load
  const heartbeat = createHeartbeat({
    host: {
      host: name,
      instance: config.instance ?? name,
      tiers,
      threads: config.engine.threads,
      receiptKey: { id: receiptKey.id, publicKey: receiptKey.publicKey },
    },
    load,
    workerUrl: config.workerUrl,
    secret,
    log,
  })
  const gate = new DrainGate(() => heartbeat.stir())
  const canary = createCanary({ oneIn: config.scripts.canaryOneIn, programs, engine, admission, metrics, log })
  const signReceipt = createReceiptSigner(receiptKey)
  const runner = createRunner({ programs, engine, guests, journal, tiers, metrics, signReceipt, canary })
  const worker = createWorkerClient({ workerUrl: config.workerUrl, secret })
  const consumers = config.kafka
    ? createEventConsumers({
        kafka: config.kafka,
        secret,
        host: name,
        worker,
        judgingsMax: config.judgementsMax,
        runClaimed: createClaimedRuns({ worker, host: name, runner, log, onDone: () => outcomes.wake() }),
        runsMax: config.engine.slots,
        log,
      })
    : undefined
  const app = createServer({
    host: name,
    runner,
    judge: createJudge({
      programs,
      engine,
      guests,
      tiers,
      parallel: config.admission.accountRunningMax,
      judgementsMax: config.judgementsMax,
      signJudgement: createJudgementSigner(receiptKey),
      metrics,
    }),
    programs,
    newVersions: { compiler: config.scripts.compiler, engine },
    load,
    backlog: journal.backlog,
    metrics,
    readiness: new Readiness({ engine, tiers, journal, bucket, isDraining: () => gate.isDraining }),
    checkSignature: createSignatureCheck({ secret, audience: `host ${name}`, nonces, notBefore: beganAt }),
    gate,
    log,
  })
  metrics.addGauges({ prefix: 'host_engine', help: 'Engine', read: () => engine.stats() })
  metrics.addGauges({ prefix: 'host_admission', help: 'Admission', read: () => admission.stats() })
  metrics.addGauges({ prefix: 'host_journal', help: 'Journal', read: () => ({ ...journal.stats() }) })
  metrics.addGauges({ prefix: 'host_programs', help: 'Loaded programs', read: () => ({ ...programs.stats() }) })
  if (consumers) metrics.addGauges({ prefix: 'host_event_log', help: 'Event log', read: () => consumers.stats() })
  if (codeStore) metrics.addGauges({ prefix: 'host_code_store', help: 'Compiled programs on disk', read: () => codeStore.stats() })
  metrics.addGauges({ prefix: 'host_requests', help: 'Requests', read: () => ({ underWay: gate.underWay, nonces: nonces.size }) })
  if (onJournalFailure) journal.onChange(() => journal.failure && onJournalFailure())

  const { server, port } = await listen(app.fetch, config)
  const tidying = setInterval(() => programs.dropIdle(config.programIdleMs), config.programIdleMs / 4).unref()
  uploader.start()
  outcomes.start()
  heartbeat.start()
  consumers?.start()
  log.info({ host: name, port, bind: config.bind, engine: engine.label, tiers }, 'listening')

  async function stop(): Promise<void> {
    canary.stop()
    const until = Date.now() + config.drainGraceMs
    heartbeat.say('draining')
    // A quarter of the grace is kept for handing over what is finished.
    const [idle] = await Promise.all([gate.drain(config.drainGraceMs * 0.75), consumers?.drain(config.drainGraceMs * 0.75)])
    if (!idle) log.warn({ underWay: gate.underWay }, 'requests are cut off; their callers see a closed connection')
    await journal.seal()
    // It listens on: whoever does not know yet is told that it drains, and what it holds can be read until it has been handed over.
    await Promise.all([uploader.drain(until), outcomes.drain(until), pause(Math.min(lingerMs, until - Date.now()))])
    const unsentRecords = journal.backlog.recordsNotDelivered()
    const isUploaded = journal.backlog.nextToUpload() === undefined
    await heartbeat.end(unsentRecords === 0 && isUploaded ? 'left' : 'draining', Math.min(until, Date.now() + farewellMsMax))
    server.close()
    log.info({ unsentRecords, isUploaded }, 'drained')
    await journal.close()
    await lock.release()
    clearInterval(tidying)
    await engine.close()
  }

  return { name, port, stop }
}

/** An isolate of the Worker reads which hosts there are every 2 s at least; most have heard the answer `draining` before. */
const lingerMs = 500
const farewellMsMax = 1_000

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

const serverOptions = {
  // Longer than any proxy in front keeps an idle connection, so that none is closed while a request is on its way into it.
  keepAliveTimeout: 75_000,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
}

function listen(fetch: Parameters<typeof serve>[0]['fetch'], { port, bind }: Config): Promise<{ server: ServerType; port: number }> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, port, hostname: bind, serverOptions }, (info) => resolve({ server, port: info.port }))
    server.on('error', (cause: NodeJS.ErrnoException) => {
      const advice = cause.code === 'EADDRINUSE' ? 'the port is taken, set HOST_PORT to a free one' : 'check HOST_BIND and HOST_PORT'
      reject(new Error(`cannot listen on ${bind}:${port}: ${advice}`, { cause }))
    })
  })
}
