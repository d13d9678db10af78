// `npm run kafka`: a Kafka broker on this machine until Ctrl-C, kept alive and kept in LOCAL_DIR/kafka.
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { claimPorts } from './free-port.ts'
import { findJava } from './java.ts'
import { kafkaJars } from './kafka-jars.ts'
import { startKafka, type LocalKafka } from './start-kafka.ts'
import { MissingToolError } from './missing-tool-error.ts'
import { checkout } from './node-process.ts'

const help = `npm run kafka -- [--port <n>] [--fetch]

Runs Apache Kafka (one node, KRaft mode) on 127.0.0.1 until Ctrl-C, without passwords: for this machine alone. Needs Java 17 or newer, and
Maven for the first time.
  --port <n>  where clients connect; 0 = any free port (9092)
  --fetch     fetch and check the broker's files, start nothing

Environment
  LOCAL_DIR   where state lives (.local): messages and log in LOCAL_DIR/kafka
  JAVA_HOME   the Java to use

Exit codes: 0 stopped as asked, 1 could not start, 2 wrong options, 3 Java or Maven is missing or reaches nothing.`

const options = readOptions()
let kafka: LocalKafka | undefined
let isStopping = false

async function stop() {
  if (isStopping) return
  isStopping = true
  await kafka?.stop()
  process.exit(0)
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop())
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

try {
  if (options.fetch) {
    await findJava()
    console.log(`  Apache Kafka is in ${await kafkaJars(console.log)}`)
    process.exit(0)
  }
  const [port = 0] = await claimPorts([{ port: options.port, variable: '--port' }])
  kafka = await startKafka({ home: options.home, port, report: (line) => console.log(`  ${line}`) })
  if (isStopping) await kafka.stop()
  else console.log(`\n  Kafka is ready at ${kafka.brokers}; its state is in ${options.home}. Ctrl-C stops it.`)
} catch (error) {
  console.error(`  ${error instanceof Error ? error.message : String(error)}`)
  process.exit(error instanceof MissingToolError ? 3 : 1)
}

function readOptions(): { home: string; port: number; fetch: boolean } {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: 'string', default: '9092' },
        fetch: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) {
      console.log(help)
      process.exit(0)
    }
    if (!/^\d{1,5}$/.test(values.port) || Number(values.port) > 65_535) {
      throw new Error(`--port is ${JSON.stringify(values.port)}: a port is a whole number from 0 to 65535.`)
    }
    const base = resolve(process.env['LOCAL_DIR'] || join(checkout, '.local'))
    return { home: join(base, 'kafka'), port: Number(values.port), fetch: values.fetch }
  } catch (error) {
    console.error(`  ${error instanceof Error ? error.message : String(error)}\n\n${help}`)
    return process.exit(2)
  }
}
