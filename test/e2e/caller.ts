// Callers of the edge API for end-to-end tests: `client` for ordinary calls, and `call` where status, headers or bad input are the subject: what it
// sends is sent as it is, and what came back is there with status, headers and parsed body.
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { inject } from 'vitest'
import { createClient, type Client } from '../../client/create-client.ts'

const stack = inject('stack')

/** Each test file is at an address of its own, or they would share one budget of requests without a key. */
const address = `2001:db8:${randomBytes(2).toString('hex')}:${randomBytes(2).toString('hex')}::1`

/** Speaks for the demo account unless a key is given. */
export function client(key = stack.demoKey): Client {
  return createClient({ url: stack.baseUrl, key, headers: { 'cf-connecting-ip': address }, secondsMax: 60 })
}

// Bodies are what the API says they are; each test asserts the fields that it reads.
// oxlint-disable-next-line typescript/no-explicit-any
export type Answer = { status: number; headers: Headers; body: any; bytes: Uint8Array }

export type CallOptions = { key?: string | null; body?: unknown; raw?: string | Uint8Array; headers?: Record<string, string> }

/** Speaks for the demo account unless a key is given; `key: null` sends none. */
export async function call(
  method: string,
  path: string,
  { key = stack.demoKey, body, raw, headers = {} }: CallOptions = {},
): Promise<Answer> {
  const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body))
  const response = await fetch(`${stack.baseUrl}${path}`, {
    method,
    headers: {
      'cf-connecting-ip': address,
      ...(key ? { authorization: `Bearer ${key}` } : {}),
      ...(sent === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(sent === undefined ? {} : { body: sent }),
  })
  const bytes = new Uint8Array(await response.arrayBuffer())
  const isJson = /json/.test(response.headers.get('content-type') ?? '')
  return {
    status: response.status,
    headers: response.headers,
    bytes,
    body: isJson ? JSON.parse(new TextDecoder().decode(bytes)) : undefined,
  }
}

let made = 0
export function uniqueName(prefix: string): string {
  return `${prefix}-${process.pid}-${Date.now().toString(36)}-${made++}`
}

/** Deploys a script and returns its id. */
export async function deployScript(source: string, key?: string): Promise<string> {
  return (await client(key).call('POST /api/agents', { body: { name: uniqueName('script'), kind: 'script', source } })).id
}

/** Deploys a command from `test/fixtures/agents`. */
export async function deployCommand(fixture: string): Promise<Answer> {
  const source = readFileSync(new URL(`../fixtures/agents/${fixture}`, import.meta.url)).toString('base64')
  return call('POST', '/api/agents', { body: { name: uniqueName('command'), kind: 'command', source } })
}

export async function deployComponent(component: Buffer): Promise<Answer> {
  return call('POST', '/api/agents', {
    body: { name: uniqueName('component'), kind: 'component', source: component.toString('base64') },
  })
}

export async function run(agentId: string, input: unknown, options: Record<string, unknown> = {}): Promise<Answer> {
  return call('POST', `/api/agents/${agentId}/executions`, { body: { input, ...options } })
}

export async function newAccount(): Promise<{ id: string; key: string }> {
  return client(stack.adminKey).call('POST /api/accounts', { body: { name: uniqueName('account') } })
}

export async function fund(accountId: string, credits: number): Promise<void> {
  await client(stack.adminKey).call('POST /api/accounts/{id}/credits', { params: { id: accountId }, body: { credits } })
}
