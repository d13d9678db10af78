// The sandbox host without its journal: it answers as the real one does, and keeps nothing. For measuring what keeping costs; no option of the
// host's leads here.
import { serve } from '@hono/node-server'
import { Admission } from '../../sandbox-host/admission.ts'
import { compilerSecondsMax, createBoundedProcesses } from '../../sandbox-host/bounded-process.ts'
import { createBucket } from '../../sandbox-host/bucket.ts'
import { CodeStore } from '../../sandbox-host/code-store.ts'
import { createScriptCompiler } from '../../sandbox-host/compile-script.ts'
import { readConfig } from '../../sandbox-host/config.ts'
import { DrainGate } from '../../sandbox-host/drain-gate.ts'
import { startEngine } from '../../sandbox-host/engines/start-engine.ts'
import { createGuests } from '../../sandbox-host/guests.ts'
import type { Journal } from '../../sandbox-host/journal.ts'
import { createLog } from '../../sandbox-host/log.ts'
import { Metrics } from '../../sandbox-host/metrics.ts'
import { NonceMemory } from '../../sandbox-host/nonce-memory.ts'
import { Programs } from '../../sandbox-host/programs.ts'
import { readReceiptKey } from '../../sandbox-host/receipt-key.ts'
import { createRunner } from '../../sandbox-host/runner.ts'
import { createServer } from '../../sandbox-host/server.ts'
import { createReceiptSigner } from '../../sandbox-host/sign-receipt.ts'
import { createSignatureCheck } from '../../sandbox-host/signature.ts'

const config = readConfig(process.env)
const log = createLog('warn')
const host = 'forgetful'
const { tiers, secret, dataDirectory } = config
const processes = createBoundedProcesses({
  memoryBytesMax: config.compilerBytesMax,
  secondsMax: compilerSecondsMax,
  processesMax: config.engine.threads,
})
const codeStore = await CodeStore.open({ dataDirectory, bytesMax: config.codeBytesMax })
const engine = await startEngine({ ...config.engine, isProduction: false, processes, codeStore, log })
const metrics = new Metrics(host)
const guests = createGuests({
  admission: new Admission(config.admission, { observer: metrics }),
  engine,
  waitMsMax: config.queueWaitMsMax,
  metrics,
})
const compileScript = createScriptCompiler(processes)
const bucket = createBucket(config.bucket)
const programs = new Programs({ engine, guests, bucket, compileScript, codeStore, bytesMax: config.programBytesBudget, metrics })
const receiptKey = await readReceiptKey(dataDirectory, undefined)
const backlog = { has: () => false, find: async () => undefined, readObject: async () => undefined }
const forgetful: Pick<Journal, 'append' | 'fullReason'> & { backlog: typeof backlog } = {
  fullReason: undefined,
  append: async ({ artifacts, record }) => Buffer.from(record(artifacts.map(() => ({ bundle: 'none/000000000001', offset: 0 })))),
  backlog,
}
const app = createServer({
  host,
  runner: createRunner({
    programs,
    engine,
    guests,
    // What a runner asks of a journal is all there.
    journal: forgetful as unknown as Journal,
    tiers,
    metrics,
    signReceipt: createReceiptSigner(receiptKey),
  }),
  judge: () => Promise.reject(new Error('this host judges nothing')),
  programs,
  newVersions: { compiler: config.scripts.compiler, engine },
  load: () => 0,
  backlog,
  metrics,
  readiness: {
    report: async () => ({
      status: 'ready',
      engine: engine.label,
      kinds: engine.kinds,
      tiers,
      journal: { ok: true },
      r2: { ok: true, ageMs: 0 },
    }),
  },
  checkSignature: createSignatureCheck({ secret, audience: `host ${host}`, nonces: new NonceMemory() }),
  gate: new DrainGate(),
  log,
})
serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => process.send?.({ type: 'ready', port }))
process.on('disconnect', () => process.exit(0))
