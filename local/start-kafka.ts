// A Kafka broker without the rest of the cloud, kept alive: for `npm run kafka` and for tests.
import { join } from 'node:path'
import { claimPorts } from './free-port.ts'
import { kafkaProcess } from './kafka.ts'
import { endLeftovers } from './leftover-processes.ts'
import { lockDirectory } from './local-lock.ts'
import { makeDirectory } from './make-directory.mjs'
import { childEnvironment } from './node-process.ts'
import { openProcessLog } from './process-log.ts'
import { superviseProcess } from './supervise-process.ts'

export type StartKafkaOptions = {
  /** Where its state lives: absolute, and of one broker at a time. */
  home: string
  /** 0 = any free one. */
  port: number
  report?: (line: string) => void
}

export type LocalKafka = {
  /** host:port, as clients want it. */
  brokers: string
  /** Undefined between two lives. */
  pid: () => number | undefined
  stop: () => Promise<void>
}

/** @throws MissingToolError when Java or Maven is missing */
export async function startKafka({ home, port: wish, report = () => {} }: StartKafkaOptions): Promise<LocalKafka> {
  makeDirectory(home)
  const lock = lockDirectory(home)
  try {
    // A broker does not notice that its starter was killed.
    if (lock.isStale) await endLeftovers(home)
    const any = { port: 0, variable: '' }
    const [port = 0, controllerPort = 0] = await claimPorts([{ ...any, port: wish }, any])
    const { spec, brokers } = await kafkaProcess({ home, port, controllerPort, env: childEnvironment(home), report })
    const log = openProcessLog(join(home, 'kafka.log'))
    const child = superviseProcess(spec, { log, report, onPid: () => {} })
    const onExit = () => child.kill()
    process.once('exit', onExit)
    const stop = async () => {
      await child.stop()
      process.off('exit', onExit)
      log.close()
      lock.release()
    }
    try {
      await child.ready
    } catch (error) {
      await stop()
      throw error
    }
    return { brokers, pid: child.pid, stop }
  } catch (error) {
    lock.release()
    throw error
  }
}
