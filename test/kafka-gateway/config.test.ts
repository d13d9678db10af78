import { execFile } from 'node:child_process'
import { expect, test } from 'vitest'
import { ConfigError, readConfig } from '../../kafka-gateway/config.ts'

const password = 'a-password-of-at-least-32-characters'
const needed = { GATEWAY_USERNAME: 'worker', GATEWAY_PASSWORD: password, KAFKA_BROKERS: 'a:9092, b.internal:9093' }

test('what is needed is enough; brokers are a list', () => {
  expect(readConfig(needed)).toMatchObject({
    port: 8790,
    bind: '127.0.0.1',
    username: 'worker',
    kafka: { brokers: ['a:9092', 'b.internal:9093'], isEncrypted: false },
    instancesMax: 64,
  })
})

test('a broker with a password', () => {
  const sasl = { KAFKA_SASL_MECHANISM: 'SCRAM-SHA-256', KAFKA_USERNAME: 'u', KAFKA_PASSWORD: 'p', KAFKA_TLS: 'true' }
  expect(readConfig({ ...needed, ...sasl }).kafka).toMatchObject({
    isEncrypted: true,
    sasl: { mechanism: 'SCRAM-SHA-256', username: 'u', password: 'p' },
  })
})

test.each([
  ['GATEWAY_PASSWORD', undefined, /GATEWAY_PASSWORD is not set/],
  ['GATEWAY_PASSWORD', 'short', /GATEWAY_PASSWORD has 5 characters: must be 32 to 256/],
  ['GATEWAY_USERNAME', 'a:b', /GATEWAY_USERNAME is "a:b"/],
  ['KAFKA_BROKERS', '', /KAFKA_BROKERS is not set/],
  ['KAFKA_BROKERS', 'a', /must be host:port/],
  ['KAFKA_BROKERS', 'a:1,,b:2', /must be host:port/],
  ['GATEWAY_PORT', '65536', /must be a whole number from 0 to 65535/],
  ['INSTANCES_MAX', '0', /must be a whole number from 1 to 1000/],
  ['KAFKA_SASL_MECHANISM', 'PLAIN', /KAFKA_USERNAME and KAFKA_PASSWORD are needed/],
  ['KAFKA_TLS', 'yes', /KAFKA_TLS is "yes"/],
])('%s = %s is refused in one line', (name, value, message) => {
  const read = () => readConfig({ ...needed, [name]: value })
  expect(read).toThrow(ConfigError)
  expect(read).toThrow(message)
})

test('a bad password is not shown', () => {
  expect(() => readConfig({ ...needed, GATEWAY_PASSWORD: 'geheim' })).not.toThrow(/geheim/)
})

test('the process says one line and ends with code 2', async () => {
  const ended = await new Promise((resolve) => {
    const options = { env: { PATH: process.env['PATH'], ...needed, INSTANCES_MAX: 'many' } }
    execFile('node_modules/node/bin/node', ['kafka-gateway/main.ts'], options, (error, _, stderr) => resolve([error?.code, stderr]))
  })
  expect(ended).toEqual([2, 'kafka-gateway: INSTANCES_MAX is "many": must be a whole number from 1 to 1000\n'])
})
