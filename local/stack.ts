// The whole cloud on one machine: every part a supervised child of its own, started in the order in which they need each other. Used by
// `npm start` and by the end-to-end tests; where to read next: `supervise-process.ts` (keeping alive), `edge.ts` (the Worker).
//
//   postgres ─▶ migrate ─▶ neon-http ──┐
//   redis ────▶ upstash-rest ──────────┼─▶ edge (workerd, R2) ─▶ /api/ready ─▶ demo account
//   host (retries until the edge is up)┤
//   kafka ─▶ topics ─▶ kafka-gateway ──┘ with EVENT_LOG=kafka alone
//
// With several hosts each is a process with a port, a directory and an identity of its own, and host-proxy.ts stands before them at HOST_PORT.
import { createHash } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parse } from 'smol-toml'
import { bundleWorker } from './bundle-worker.ts'
import { demoAccountKey, fundAccount, untilReady } from './edge-account.ts'
import { claimPorts, loopback, type PortWish } from './free-port.ts'
import { endLeftovers } from './leftover-processes.ts'
import { lockDirectory } from './local-lock.ts'
import { chosenEventLog, kafkaParts, type EventLogName, type KafkaPlace } from './kafka-parts.ts'
import { loadSecrets, saveSecrets, writePrivate, type LocalSecrets } from './local-secrets.ts'
import { makeDirectory } from './make-directory.mjs'
import { migrate } from './migrate.ts'
import { miniflareOptions } from './miniflare-options.ts'
import { checkout, childEnvironment, nodeProcess } from './node-process.ts'
import { postgresProcess } from './postgres.ts'
import { openProcessLog, type ProcessLog } from './process-log.ts'
import { redisProcess } from './redis.ts'
import { superviseProcess, type ProcessSpec, type SupervisedProcess } from './supervise-process.ts'

export type StackOptions = {
  /** Where state lives; made when it is absent. */
  localDir: string
  /** Each 0 = any free port. */
  edgePort: number
  directPort: number
  hostPort: number
  /** How many sandbox hosts. Default 1. */
  hosts?: number
  /** Used instead of own children. Default: `DATABASE_URL` and `REDIS_URL`. */
  databaseUrl?: string | undefined
  redisUrl?: string | undefined
  /** What carries messages. Default: `EVENT_LOG`, else queues, for which nothing of Kafka is started. */
  eventLog?: EventLogName | undefined
  /** Aborted: the start is given up, and what was started is stopped. */
  signal?: AbortSignal
  /** Progress and restarts, a line each. */
  report?: (line: string) => void
  /** Given the port of a part, the port at which whoever calls it over this link is to find it. Default: the same. */
  link?: (name: LinkName, port: number) => Promise<number>
  /** For tests of what the platform may do to the parts: what stands between the two. Nothing of it is in the parts' own code. */
  between?: Between
}

export type Between = {
  /** Bundled in the place of the Worker's own entry, which it has to call. */
  workerEntry: string
  workerBindings: Record<string, string>
  /** Loaded before a host. */
  hostImport: string
  hostSettings: (name: string) => Record<string, string>
}

/** Who calls whom, where somebody may want to stand in between. */
export const linkNames = ['edge-host', 'edge-neon', 'edge-upstash', 'host-edge', 'host-bucket'] as const
export type LinkName = (typeof linkNames)[number]

/** Connection string, and where the HTTP protocol is spoken. */
export type NeonAddress = { url: string; endpoint: string }

export type Stack = {
  baseUrl: string
  directUrl: string
  /** Of the one host, or of the proxy before them. */
  hostUrl: string
  /** Straight to each host, by its name. */
  hostUrls: Record<string, string>
  adminKey: string
  demoKey: string
  /** Straight to Postgres. */
  databaseUrl: string
  /** The database as the Worker reaches it. */
  neon: NeonAddress
  /** The cache as the Worker reaches it. */
  upstash: { url: string; token: string }
  /** The bucket as the host reaches it: the URL up to and including it. */
  bucket: { url: string; accessKeyId: string; secretAccessKey: string }
  /** The broker, and the gateway as the Worker reaches it; undefined with queues. */
  kafka: KafkaPlace | undefined
  /** Name to pid, at this moment. */
  processes: () => Record<string, number>
  /** Resolves when nothing is left running. */
  stop: () => Promise<void>
  /** At once and without farewell; what it leaves is tidied up by the next start. */
  kill: () => void
}

/** Shorter than the supervisor's patience, so that a host that cannot hand over its journal still ends by itself. */
const hostDrainMs = 2_500

export async function startStack(options: StackOptions): Promise<Stack> {
  const { signal, report = () => {} } = options
  const localDir = writableDirectory(options.localDir)
  const lock = lockDirectory(localDir)
  const children = createChildren(localDir, report)
  async function stop() {
    await children.stop()
    await endLeftovers(localDir)
    lock.release()
  }
  try {
    if (lock.isStale) {
      const ended = await endLeftovers(localDir)
      report(`the last start was killed${ended > 0 ? `: ended ${ended} processes that it left` : ''}`)
    }
    const ports = await claimAll(options)
    const secrets = loadSecrets(localDir)
    const links = await linkAll(ports, options.link)
    const { databaseUrl, bucketName, kafka } = await startParts({ options, localDir, secrets, ports, links, children, report })
    const urls = { baseUrl: at(ports.edge), directUrl: at(ports.direct), hostUrl: at(ports.host) }
    await untilReady({ baseUrl: urls.baseUrl, signal, advice: () => children.tails() })
    const demoKey = await demoAccountKey({ baseUrl: urls.baseUrl, adminKey: secrets.adminKey, kept: secrets.demoKey })
    saveSecrets(localDir, { ...secrets, demoKey })
    await fundAccount({ baseUrl: urls.baseUrl, adminKey: secrets.adminKey, key: demoKey })
    const credentials = { ...urls, adminKey: secrets.adminKey, demoKey }
    writePrivate(join(localDir, 'credentials.json'), credentials)
    const upstash = { url: at(ports.upstash), token: secrets.upstashToken }
    return {
      ...credentials,
      hostUrls: Object.fromEntries(Object.entries(ports.hosts).map(([name, port]) => [name, at(port)])),
      databaseUrl,
      neon: neonAddress(secrets, ports.neon),
      upstash,
      bucket: { url: bucketUrl(ports.edge, bucketName), accessKeyId: secrets.r2AccessKeyId, secretAccessKey: secrets.r2SecretAccessKey },
      kafka,
      processes: children.pids,
      stop,
      kill: children.kill,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

type PortName = 'edge' | 'direct' | 'host' | 'postgres' | 'redis' | 'neon' | 'upstash' | 'kafka' | 'kafkaController' | 'kafkaGateway'
/** `host` is the port of the one host, or of the proxy before them; `hosts` are by their names, of one host it is the same port. */
type Ports = Record<PortName, number> & { hosts: Record<string, number> }

async function claimAll({ edgePort, directPort, hostPort, hosts = 1 }: StackOptions): Promise<Ports> {
  const any: PortWish = { port: 0, variable: '' }
  const behindProxy = hosts > 1 ? hosts : 0
  const wishes = [
    { port: edgePort, variable: 'EDGE_PORT' },
    { port: directPort, variable: 'DIRECT_PORT' },
    { port: hostPort, variable: 'HOST_PORT' },
  ]
  const claimed = await claimPorts([...wishes, any, any, any, any, any, any, any, ...Array.from({ length: behindProxy }, () => any)])
  const [edge = 0, direct = 0, host = 0, ...rest] = claimed
  const [postgres = 0, redis = 0, neon = 0, upstash = 0, kafka = 0, kafkaController = 0, kafkaGateway = 0, ...ofHosts] = rest
  const named = (behindProxy ? ofHosts : [host]).map((port, i) => [i === 0 ? 'host' : `host-${i + 1}`, port] as const)
  return { edge, direct, host, postgres, redis, neon, upstash, kafka, kafkaController, kafkaGateway, hosts: Object.fromEntries(named) }
}

type Links = Record<LinkName, number>

async function linkAll({ edge, direct, host, neon, upstash }: Ports, link: StackOptions['link']): Promise<Links> {
  // Miniflare's entry, which has the bucket, stands before no Worker in production: hosts speak to the Worker itself.
  const straight: Links = { 'edge-host': host, 'edge-neon': neon, 'edge-upstash': upstash, 'host-edge': direct, 'host-bucket': edge }
  if (link === undefined) return straight
  const linked = await Promise.all(linkNames.map(async (name) => [name, await link(name, straight[name])] as const))
  return { ...straight, ...Object.fromEntries(linked) }
}

type Parts = {
  options: StackOptions
  localDir: string
  secrets: LocalSecrets
  ports: Ports
  links: Links
  children: Children
  report: (line: string) => void
}

type Started = { databaseUrl: string; bucketName: string; kafka: Stack['kafka'] }

/** @returns where Postgres and Kafka are, and the name of the bucket */
async function startParts(parts: Parts): Promise<Started> {
  const { options, localDir, secrets, ports, links, children, report } = parts
  const env = childEnvironment(localDir)
  const isKafka = (options.eventLog ?? chosenEventLog()) === 'kafka'
  const kafka = isKafka ? kafkaParts({ localDir, ports, password: secrets.kafkaPassword, env, report }) : undefined
  const wranglerPath = join(checkout, 'wrangler.toml')
  const r2 = { R2_ACCESS_KEY_ID: secrets.r2AccessKeyId, R2_SECRET_ACCESS_KEY: secrets.r2SecretAccessKey }
  const worker = miniflareOptions(parse(readFileSync(wranglerPath, 'utf8')), {
    bindings: {},
    s3Credentials: { accessKeyId: '', secretAccessKey: '' },
  })
  const [bucketName = ''] = worker.buckets
  const workerScript = join(localDir, 'worker.js')
  const workerEntry = options.between?.workerEntry ?? join(dirname(wranglerPath), worker.main)
  const bundled = bundleWorker(workerEntry).then((script) => writeFileSync(workerScript, script))

  const hostProcess = (name: string, port: number) =>
    nodeProcess({
      name,
      file: 'sandbox-host/main.ts',
      imports: options.between ? [options.between.hostImport] : [],
      env: {
        ...env,
        ...r2,
        ...hostSettings(),
        HOST_PORT: String(port),
        HOST_ID: name,
        INSTANCE_ID: name,
        DATA_DIR: join(localDir, name),
        SANDBOX_SECRET: secrets.sandboxSecret,
        WORKER_URL: at(links['host-edge']),
        R2_ENDPOINT: bucketUrl(links['host-bucket'], bucketName),
        DRAIN_GRACE_MS: String(hostDrainMs),
        ...kafka?.hostSettings,
        ...options.between?.hostSettings(name),
      },
    })
  const hosts = Object.entries(ports.hosts)
  const hostsReady = hosts.map(([name, port]) => children.start(hostProcess(name, port)))
  if (hosts.length > 1) {
    const proxy = { ...env, PORT: String(ports.host), INSTANCES: JSON.stringify(ports.hosts) }
    hostsReady.push(children.start(nodeProcess({ name: 'host-proxy', file: 'local/host-proxy.ts', env: proxy })))
  }

  const withDatabase = async () => {
    const { databaseUrl = process.env['DATABASE_URL'] } = options
    const own = databaseUrl ? undefined : await postgresProcess({ localDir, port: ports.postgres, password: secrets.postgresPassword, env })
    if (own) await children.start(own.spec)
    const url = own?.url ?? databaseUrl ?? ''
    const bridge = { ...env, PORT: String(ports.neon), DATABASE_URL: url, NEON_USER: neonUser, NEON_PASSWORD: secrets.neonPassword }
    await Promise.all([
      migrate({ databaseUrl: url, report }),
      children.start(nodeProcess({ name: 'neon-http', file: 'local/neon-http.ts', env: bridge })),
    ])
    return url
  }
  const withCache = async () => {
    const { redisUrl = process.env['REDIS_URL'] } = options
    const own = redisUrl ? undefined : redisProcess({ localDir, port: ports.redis, env })
    if (own) await children.start(own.spec)
    const bridge = { ...env, PORT: String(ports.upstash), REDIS_URL: own?.url ?? redisUrl ?? '', UPSTASH_TOKEN: secrets.upstashToken }
    await children.start(nodeProcess({ name: 'upstash-rest', file: 'local/upstash-rest.ts', env: bridge }))
  }
  const database = withDatabase()
  await all([database, withCache(), kafka?.start(children.start) ?? Promise.resolve(), bundled], options.signal)

  const neon = neonAddress(secrets, links['edge-neon'])
  const bindings = {
    SANDBOX_URL: at(links['edge-host']),
    SANDBOX_SECRET: secrets.sandboxSecret,
    DATABASE_URL: neon.url,
    NEON_HTTP_ENDPOINT: neon.endpoint,
    UPSTASH_REDIS_REST_URL: at(links['edge-upstash']),
    UPSTASH_REDIS_REST_TOKEN: secrets.upstashToken,
    WEBHOOK_ENCRYPTION_KEY: secrets.webhookEncryptionKey,
    R2_ENDPOINT: bucketUrl(ports.edge, bucketName),
    ...r2,
    // Whoever tries webhooks out has a receiver on this machine.
    ALLOW_LOCAL_WEBHOOKS: 'yes',
    ...kafka?.bindings,
    ...options.between?.workerBindings,
    ADMIN_KEY_SHA256: createHash('sha256').update(secrets.adminKey).digest('hex'),
  }
  const edgeSettings = {
    EDGE_PORT: String(ports.edge),
    DIRECT_PORT: String(ports.direct),
    LOCAL_DIR: localDir,
    WRANGLER_TOML: wranglerPath,
    WORKER_SCRIPT: workerScript,
  }
  const edge = { ...env, ...r2, ...edgeSettings, WORKER_BINDINGS: JSON.stringify(bindings) }
  const edgeReady = children.start(nodeProcess({ name: 'edge', file: 'local/edge.ts', env: edge }))
  await all([edgeReady, ...hostsReady], options.signal)
  return { databaseUrl: await database, bucketName, kafka }
}

const neonUser = 'worker'

function neonAddress(secrets: LocalSecrets, port: number): NeonAddress {
  return { url: `postgresql://${neonUser}:${secrets.neonPassword}@${loopback}/bounty`, endpoint: `${at(port)}/sql` }
}

/** miniflare serves its buckets over the S3 protocol at its own port. */
function bucketUrl(port: number, bucketName: string): string {
  return `${at(port)}/cdn-cgi/local/r2/s3/${bucketName}`
}

/** The host's own tuning (`sandbox-host/config.ts`) may come from the caller's environment; addresses and secrets never do. */
function hostSettings(): Record<string, string> {
  const engine = ['ENGINE', 'THREADS', 'SLOTS', 'JUDGEMENTS_MAX', 'PROGRAM_BYTES_BUDGET', 'JOURNAL_BYTES_MAX', 'TIER_BYTES_MAX']
  const scripts = ['SCRIPT_COMPILER', 'SCRIPT_CANARY_ONE_IN']
  const queue = ['MEMORY_BYTES_BUDGET', 'ACCOUNT_RUNNING_MAX', 'QUEUE_MAX', 'ACCOUNT_QUEUE_MAX', 'QUEUE_BYTES_MAX', 'QUEUE_WAIT_MS_MAX']
  const names = [...engine, ...scripts, ...queue]
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]] as const] : [])))
}

/** One failure, or a wish to stop, ends the waiting for all. */
async function all(starts: Promise<unknown>[], signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted()
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(signal?.reason)
  signal?.addEventListener('abort', onAbort)
  try {
    await Promise.race([Promise.all(starts), aborted])
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
}

type Children = {
  /** Resolves when it is ready for the first time. */
  start: (spec: ProcessSpec) => Promise<void>
  pids: () => Record<string, number>
  /** The last lines of every child, for an error that no child admits to. */
  tails: () => string
  stop: () => Promise<void>
  kill: () => void
}

function createChildren(localDir: string, report: (line: string) => void): Children {
  const started: { child: SupervisedProcess; log: ProcessLog }[] = []
  const pids = () =>
    Object.fromEntries(started.flatMap(({ child }) => (child.pid() === undefined ? [] : [[child.name, child.pid() ?? 0] as const])))
  const record = () => writePrivate(join(localDir, 'processes.json'), pids())
  let stopping = false
  const kill = () => {
    stopping = true
    for (const { child } of started) child.kill()
  }
  // However this process comes to call exit, what it started does not outlive it.
  process.once('exit', kill)

  return {
    start: (spec) => {
      if (stopping) return Promise.reject(new Error('stopping'))
      const log = openProcessLog(join(localDir, 'logs', `${spec.name}.log`))
      // The pid is known before superviseProcess returns, and is recorded as soon as the child can be named.
      const child = superviseProcess(spec, { log, report, onPid: () => queueMicrotask(record) })
      started.push({ child, log })
      return child.ready
    },
    pids,
    tails: () => started.map(({ child, log }) => `  ${child.name} (${log.path})\n${log.tail()}`).join('\n'),
    stop: async () => {
      stopping = true
      // The hosts first, while there is somebody to take what they still hold; then whoever calls the rest; then the rest.
      const rounds = [/^host(-\d+)?$/, /^(edge|host-proxy)$/, /^(neon-http|upstash-rest|kafka-gateway)$/, /./]
      for (const round of rounds) await Promise.all(started.filter(({ child }) => round.test(child.name)).map(({ child }) => child.stop()))
      for (const { log } of started) log.close()
      process.off('exit', kill)
      rmSync(join(localDir, 'processes.json'), { force: true })
    },
    kill,
  }
}

function writableDirectory(path: string): string {
  const directory = resolve(path)
  try {
    makeDirectory(directory)
    const probe = join(directory, `.write-${process.pid}`)
    writeFileSync(probe, '')
    rmSync(probe)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
    throw new Error(`cannot write to ${directory}${code}: make it writable for this user, or set LOCAL_DIR to a directory that is.`, {
      cause: error,
    })
  }
  return directory
}

function at(port: number): string {
  return `http://${loopback}:${port}`
}
