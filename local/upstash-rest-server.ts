// Upstash's REST protocol over a Redis connection (https://upstash.com/docs/redis/features/restapi): one command, a pipeline, or a
// transaction per request, `{result}` or `{error}` per command.
import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { z } from 'zod'
import { readBody, sendJson } from './http-body.ts'
import { createScriptDialect } from './script-dialect.ts'

/** Upstash's largest plan takes requests of 100 MB; ours are small: https://upstash.com/pricing/redis */
const bodyBytesMax = 10 * 1024 * 1024
const commandsMax = 10_000
/** Commands that hold the one connection that everybody shares; Upstash's REST refuses them too. */
const holding =
  /^(subscribe|psubscribe|ssubscribe|monitor|blpop|brpop|blmove|blmpop|bzpopmin|bzpopmax|bzmpop|wait|select|quit|shutdown|client|debug)$/i

const argumentSchema = z.union([z.string(), z.number(), z.boolean()]).transform(String)
const commandSchema = z.array(argumentSchema).min(1)
const commandsSchema = z.array(commandSchema).min(1).max(commandsMax)

export type RedisConnection = {
  /** Rejects with Redis' own message. */
  command: (args: string[]) => Promise<unknown>
  transaction: (commands: string[][]) => Promise<unknown[]>
}
export type UpstashRestOptions = { redis: RedisConnection; token: string }
type Answer = { status: number; body: unknown }

export function createUpstashRest({ redis, token }: UpstashRestOptions): Server {
  const dialect = createScriptDialect()

  async function one(command: string[], encode: Encode): Promise<{ result: unknown } | { error: string }> {
    if (holding.test(command[0] ?? '')) return { error: `ERR Command is not available: '${command[0]}'` }
    try {
      return { result: encode(dialect.answer(command, await redis.command(dialect.translate(command)))) }
    } catch (error) {
      return { error: messageOf(error) }
    }
  }

  async function answer(request: IncomingMessage): Promise<Answer> {
    const url = new URL(request.url ?? '/', 'http://bridge')
    if (!isToken(request.headers.authorization ?? `Bearer ${url.searchParams.get('_token') ?? ''}`, token)) {
      return { status: 401, body: { error: 'WRONGPASS invalid or missing auth token' } }
    }
    const body = await readBody(request, bodyBytesMax)
    if (body === undefined) return { status: 413, body: { error: `ERR max request size exceeded: ${bodyBytesMax} bytes` } }
    const encode = request.headers['upstash-encoding'] === 'base64' ? inBase64 : asText

    if (url.pathname === '/pipeline' || url.pathname === '/multi-exec') {
      const commands = commandsSchema.safeParse(parseJson(body))
      if (!commands.success) return { status: 400, body: { error: `ERR failed to parse commands: ${z.prettifyError(commands.error)}` } }
      if (url.pathname === '/pipeline')
        return { status: 200, body: await Promise.all(commands.data.map((command) => one(command, encode))) }
      const held = commands.data.find((command) => holding.test(command[0] ?? ''))
      if (held) return { status: 400, body: { error: `ERR Command is not available: '${held[0]}'` } }
      try {
        const results = await redis.transaction(commands.data.map(dialect.translate))
        return {
          status: 200,
          body: results.map((result) => (result instanceof Error ? { error: result.message } : { result: encode(result) })),
        }
      } catch (error) {
        return { status: 400, body: { error: messageOf(error) } }
      }
    }

    const command = url.pathname === '/' ? commandSchema.safeParse(parseJson(body)).data : commandInPath(url, body)
    if (command === undefined) return { status: 400, body: { error: 'ERR failed to parse command: want a JSON array of strings' } }
    const result = await one(command, encode)
    return { status: 'error' in result ? 400 : 200, body: result }
  }

  return createServer((request, response) => {
    answer(request).then(
      ({ status, body }) => sendJson(response, status, body),
      (error: unknown) => sendJson(response, 500, { error: messageOf(error) }),
    )
  })
}

/** `/set/key/value?EX=100`, with a body as one more argument. */
function commandInPath(url: URL, body: Buffer): string[] {
  const path = url.pathname.split('/').slice(1).map(decodeURIComponent)
  const options = [...url.searchParams]
    .filter(([name]) => name !== '_token')
    .flatMap(([name, value]) => (value === '' ? [name] : [name, value]))
  return [...path, ...(body.length > 0 ? [body.toString('utf8')] : []), ...options]
}

type Encode = (value: unknown) => unknown

const asText: Encode = (value) => mapStrings(value, (bytes) => bytes.toString('utf8'))
/** `OK` stays as it is: the client knows it so, and it is no valid base64 of anything. */
const inBase64: Encode = (value) => (value === 'OK' ? value : mapStrings(value, (bytes) => bytes.toString('base64')))

function mapStrings(value: unknown, render: (bytes: Buffer) => string): unknown {
  if (Buffer.isBuffer(value)) return render(value)
  if (typeof value === 'string') return render(Buffer.from(value))
  if (Array.isArray(value)) return value.map((item) => mapStrings(item, render))
  if (value instanceof Error) return render(Buffer.from(value.message))
  return value ?? null
}

function isToken(authorization: string, token: string): boolean {
  const digest = (value: string) => createHash('sha256').update(value).digest()
  return timingSafeEqual(digest(authorization), digest(`Bearer ${token}`))
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error)
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
