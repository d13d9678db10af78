// A gateway before the suite's broker, and the unmodified client in front of it.
import { Admin } from '@platformatic/kafka'
import { Kafka, UpstashError } from '@upstash/kafka'
import { pino } from 'pino'
import { readConfig } from '../../kafka-gateway/config.ts'
import { startGateway } from '../../kafka-gateway/gateway.ts'

export const username = 'worker'
export const password = 'a-password-of-at-least-32-characters'

export type GatewayUnderTest = { url: string; kafka: Kafka; stop: () => Promise<void> }

export async function gatewayUnderTest(brokers: string, settings: Record<string, string> = {}): Promise<GatewayUnderTest> {
  const config = readConfig({
    GATEWAY_PORT: '0',
    GATEWAY_USERNAME: username,
    GATEWAY_PASSWORD: password,
    KAFKA_BROKERS: brokers,
    DRAIN_GRACE_MS: '3000',
    ...settings,
  })
  const gateway = await startGateway({ config, log: pino({ level: process.env['LOG_LEVEL'] ?? 'silent' }) })
  const url = `http://127.0.0.1:${gateway.port}`
  return { url, kafka: new Kafka({ url, username, password }), stop: gateway.stop }
}

let made = 0

/** A topic that no other test uses. */
export async function newTopic(brokers: string, partitions = 1): Promise<string> {
  const name = `t-${process.pid}-${Date.now()}-${made++}`
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [brokers] })
  try {
    await admin.createTopics({ topics: [name], partitions, replicas: 1 })
  } finally {
    await admin.close()
  }
  return name
}

export type Answer = { status: number; headers: Headers; body: unknown }

/** One request without the client's five retries. */
export async function call(
  url: string,
  path: string,
  { method = 'POST', body, headers }: { method?: string; body?: unknown; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { authorization, 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: text }),
  })
  const isJson = response.headers.get('content-type')?.includes('json') === true
  return { status: response.status, headers: response.headers, body: isJson ? await response.json() : await response.text() }
}

export { UpstashError }
