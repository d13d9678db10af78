// What EVENT_LOG=kafka adds to the local cloud: a broker, the topics, and the gateway through which the Worker produces.
import { join } from 'node:path'
import { loopback } from './free-port.ts'
import { kafkaProcess } from './kafka.ts'
import { createTopics } from './kafka-topics.ts'
import { nodeProcess } from './node-process.ts'
import type { ProcessSpec } from './supervise-process.ts'

export const eventLogNames = ['queues', 'kafka'] as const
export type EventLogName = (typeof eventLogNames)[number]

export type KafkaPlace = { brokers: string; gateway: { url: string; username: string; password: string } }
export type KafkaParts = KafkaPlace & {
  /** Of the host. */
  hostSettings: Record<string, string>
  /** Of the Worker. */
  bindings: Record<string, string>
  /** @throws MissingToolError when Java or Maven is missing */
  start: (child: (spec: ProcessSpec) => Promise<void>) => Promise<void>
}

export type KafkaPartsOptions = {
  localDir: string
  ports: { kafka: number; kafkaController: number; kafkaGateway: number }
  password: string
  env: Record<string, string>
  report: (line: string) => void
}

export function kafkaParts({ localDir, ports, password, env, report }: KafkaPartsOptions): KafkaParts {
  const brokers = `${loopback}:${ports.kafka}`
  const gateway = { url: `http://${loopback}:${ports.kafkaGateway}`, username: 'worker', password }
  const settings = { GATEWAY_PORT: String(ports.kafkaGateway), GATEWAY_USERNAME: gateway.username, GATEWAY_PASSWORD: password }
  return {
    brokers,
    gateway,
    hostSettings: { EVENT_LOG: 'kafka', KAFKA_BROKERS: brokers },
    bindings: {
      EVENT_LOG: 'kafka',
      UPSTASH_KAFKA_REST_URL: gateway.url,
      UPSTASH_KAFKA_REST_USERNAME: gateway.username,
      UPSTASH_KAFKA_REST_PASSWORD: password,
    },
    async start(child) {
      const { spec } = await kafkaProcess({
        home: join(localDir, 'kafka'),
        port: ports.kafka,
        controllerPort: ports.kafkaController,
        env,
        report,
      })
      await child(spec)
      await createTopics(brokers)
      await child(
        nodeProcess({ name: 'kafka-gateway', file: 'kafka-gateway/main.ts', env: { ...env, ...settings, KAFKA_BROKERS: brokers } }),
      )
    },
  }
}

/** @throws Error naming what there is */
export function chosenEventLog(text = process.env['EVENT_LOG']): EventLogName {
  const chosen = eventLogNames.find((name) => name === (text || 'queues'))
  if (chosen === undefined) throw new Error(`EVENT_LOG is ${JSON.stringify(text)}: it must be ${eventLogNames.join(' or ')}.`)
  return chosen
}
