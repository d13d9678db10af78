// Apache Kafka as a child of its own: one node in KRaft mode, broker and controller in one process, reachable from this machine only.
// Says how to run it, after it has fetched it and formatted its storage; `supervise-process.ts` runs it.
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Admin } from '@platformatic/kafka'
import { loopback } from './free-port.ts'
import { findJava } from './java.ts'
import { kafkaJars } from './kafka-jars.ts'
import { makeDirectory } from './make-directory.mjs'
import type { ProcessSpec } from './supervise-process.ts'

export type KafkaOptions = {
  /** Where its messages and settings live; made when it is absent. */
  home: string
  port: number
  /** Of the controller, which talks to itself. */
  controllerPort: number
  env: Record<string, string>
  report?: (line: string) => void
}

/** What 2,000 partitions of small messages fit in; beyond it the broker ends itself and is started again. */
const memory = ['-Xms64m', '-Xmx256m', '-XX:MaxMetaspaceSize=160m', '-XX:MaxDirectMemorySize=64m', '-XX:+ExitOnOutOfMemoryError']
/** For a quick start on few cores: the serial collector has the least threads, and the first compiler alone takes 0.6 of the time of both. */
const java = [...memory, '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Djava.awt.headless=true']

/** @throws MissingToolError when Java or Maven is missing */
export async function kafkaProcess(options: KafkaOptions): Promise<{ spec: ProcessSpec; brokers: string }> {
  const { home, port, env, report } = options
  const command = await findJava()
  const classpath = join(await kafkaJars(report), '*')
  makeDirectory(home)
  const logging = join(home, 'log4j2.properties')
  writeFileSync(logging, loggingSettings)
  const run = (main: string, args: string[]) => [...java, `-Dlog4j2.configurationFile=${logging}`, '-cp', classpath, main, ...args]
  await formatStorage({ options, format: (args) => promisify(execFile)(command, run('kafka.tools.StorageTool', args), { env }) })
  const settings = join(home, 'server.properties')
  writeFileSync(settings, serverSettings(options, join(home, 'data')))
  const brokers = `${loopback}:${port}`
  const spec: ProcessSpec = {
    name: 'kafka',
    command,
    args: run('kafka.Kafka', [settings]),
    env,
    cwd: home,
    isReady: () => answers(brokers),
    // The broker after a kill reads what it had not closed, on a busy machine.
    startWallMsMax: 90_000,
  }
  return { spec, brokers }
}

type Storage = { options: KafkaOptions; format: (args: string[]) => Promise<unknown> }

/** Whole or not at all: a start that is killed in the middle of it leaves nothing that the next would take for storage. */
async function formatStorage({ options, format }: Storage): Promise<void> {
  const { home } = options
  const data = join(home, 'data')
  if (existsSync(data)) return
  const draft = join(home, 'data.part')
  const settings = join(home, 'format.properties')
  rmSync(draft, { recursive: true, force: true })
  writeFileSync(settings, serverSettings(options, draft))
  try {
    await format(['format', `--cluster-id=${randomBytes(16).toString('base64url')}`, '--config', settings])
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim().split('\n').slice(-3).join(' ') : String(error)
    throw new Error(`Kafka cannot format its storage in ${data}: ${said}`, { cause: error })
  }
  renameSync(draft, data)
  rmSync(settings)
}

/** https://kafka.apache.org/documentation/#brokerconfigs */
function serverSettings({ port, controllerPort }: KafkaOptions, dataDir: string): string {
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    // Named here and not in the storage, so that the port may be another one at the next start.
    'controller.quorum.voters': `1@${loopback}:${controllerPort}`,
    listeners: `BROKER://${loopback}:${port},CONTROLLER://${loopback}:${controllerPort}`,
    'advertised.listeners': `BROKER://${loopback}:${port}`,
    'listener.security.protocol.map': 'BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'BROKER',
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': dataDir,
    // A name that nobody made is a mistake, not a wish.
    'auto.create.topics.enable': 'false',
    'num.partitions': '3',
    'default.replication.factor': '1',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '4',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    // Nobody waits here for a first group to fill up.
    'group.initial.rebalance.delay.ms': '0',
    // A week of messages or 1 GiB a partition, in files that a laptop can spare.
    'log.segment.bytes': String(16 * 1024 * 1024),
    'log.retention.bytes': String(1024 * 1024 * 1024),
    'log.index.size.max.bytes': String(1024 * 1024),
    'log.cleaner.dedupe.buffer.size': String(8 * 1024 * 1024),
    'num.network.threads': '2',
    'num.io.threads': '4',
    'background.threads': '2',
  }
  const rows = Object.entries(settings).map(([name, value]) => `${name}=${value.replaceAll('\\', '\\\\')}`)
  return `${rows.join('\n')}\n`
}

const loggingSettings = `status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %p %c{1} %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
`

/** An open port is not enough: it opens before the broker is registered. */
async function answers(brokers: string): Promise<boolean> {
  const admin = new Admin({ clientId: 'ready', bootstrapBrokers: [brokers], retries: 0, connectTimeout: 500, timeout: 2_000 })
  try {
    const { brokers: known } = await admin.metadata({ topics: [], retries: 0, forceUpdate: true })
    return known.size > 0
  } finally {
    await admin.close().catch(() => {})
  }
}
