// A host of a test: the real one, listening, between a bucket and a Worker that are small servers, with an engine of the test's choice.
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Program } from '../../shared/agent.ts'
import { programKey } from '../../shared/agent.ts'
import type { HostExecution } from '../../shared/execution.ts'
import type { ProblemBody } from '../../shared/problem.ts'
import { readConfig } from '../../sandbox-host/config.ts'
import { startHost } from '../../sandbox-host/host.ts'
import { createLog } from '../../sandbox-host/log.ts'
import type { SandboxEngine } from '../../sandbox-host/sandbox-engine.ts'
import { signRequest } from '../../sandbox-host/signature.ts'
import { startBucketServer } from './bucket-server.ts'
import type { BucketServer } from './bucket-server.ts'
import { createFakeEngine } from './fake-engine.ts'
import { idOf } from './id-of.ts'
import { testProcesses } from './native-engine.ts'
import { startWorkerServer } from './worker-server.ts'
import type { WorkerServer } from './worker-server.ts'

export const secret = 'a secret that only tests know, 32+'

export type TestAnswer = { status: number; headers: Headers; bytes: Buffer; json: () => unknown; problem: () => ProblemBody }
export type TestHost = AsyncDisposable & {
  url: string
  name: string
  bucket: BucketServer
  worker: WorkerServer
  /** Stores a script and names it. */
  program: (source: string) => Program
  execution: (source: string, fields?: Partial<HostExecution>) => HostExecution
  /** Signed. */
  get: (path: string) => Promise<TestAnswer>
  post: (path: string, body: unknown, headers?: Record<string, string>) => Promise<TestAnswer>
  stop: () => Promise<void>
  /** Environment of a host that is like this one, e.g. to start another on the same data. */
  environment: Record<string, string>
}

export type TestHostOptions = { engine?: SandboxEngine; environment?: Record<string, string> }

export async function startTestHost({ engine = createFakeEngine(), environment: given = {} }: TestHostOptions = {}): Promise<TestHost> {
  const bucket = await startBucketServer()
  const worker = await startWorkerServer(secret)
  const directory = mkdtempSync(join(tmpdir(), 'bounty-host-'))
  const environment = {
    HOST_PORT: '0',
    DATA_DIR: directory,
    SANDBOX_SECRET: secret,
    WORKER_URL: worker.url,
    R2_ENDPOINT: bucket.url,
    R2_ACCESS_KEY_ID: 'key',
    R2_SECRET_ACCESS_KEY: 'secret',
    LOG_LEVEL: 'silent',
    DRAIN_GRACE_MS: '2000',
    ...given,
  }
  const config = readConfig(environment)
  const host = await startHost({ config, engine, processes: testProcesses, log: createLog(config.logLevel) })
  const url = `http://127.0.0.1:${host.port}`
  let isStopped = false

  async function send(method: string, path: string, body: Buffer, more: Record<string, string> = {}): Promise<TestAnswer> {
    const headers = { ...more, ...signRequest({ secret, audience: `host ${host.name}`, method, path, body, now: Date.now() }) }
    return answerOf(await fetch(url + path, { method, headers, ...(method === 'POST' ? { body: new Uint8Array(body) } : {}) }))
  }

  const testHost = {
    url,
    name: host.name,
    bucket,
    worker,
    environment,
    program: (source: string): Program => {
      const sha256 = createHash('sha256').update(source).digest('hex')
      bucket.objects.set(programKey(sha256), Buffer.from(source))
      return { kind: 'script', sha256 }
    },
    execution: (source: string, fields: Partial<HostExecution> = {}): HostExecution => ({
      id: idOf('execution'),
      agentId: idOf('agent'),
      accountId: idOf('account'),
      version: 1,
      tier: 'basic',
      seed: 0,
      startTime: '2000-01-01T00:00:00Z',
      program: testHost.program(source),
      input: { n: 1 },
      ...fields,
    }),
    get: (path: string) => send('GET', path, Buffer.alloc(0)),
    post: (path: string, body: unknown, headers = {}) =>
      send('POST', path, Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), headers),
    async stop() {
      if (!isStopped) await host.stop()
      isStopped = true
    },
    async [Symbol.asyncDispose]() {
      await testHost.stop()
      await bucket.stop()
      await worker.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
  return testHost
}

export async function answerOf(response: Response): Promise<TestAnswer> {
  const bytes = Buffer.from(await response.arrayBuffer())
  const json = () => JSON.parse(bytes.toString()) as unknown
  return { status: response.status, headers: response.headers, bytes, json, problem: () => json() as ProblemBody }
}
