// The bridges against the drivers that production uses, over real Postgres and real Valkey.
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { neon, neonConfig, NeonDbError } from '@neondatabase/serverless'
import { Redis } from '@upstash/redis'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { claimPorts, loopback } from '../../local/free-port.ts'
import { childEnvironment, nodeProcess } from '../../local/node-process.ts'
import { migrate, type Migration } from '../../local/migrate.ts'
import { postgresProcess } from '../../local/postgres.ts'
import { openProcessLog } from '../../local/process-log.ts'
import { redisProcess } from '../../local/redis.ts'
import { superviseProcess, type ProcessSpec, type SupervisedProcess } from '../../local/supervise-process.ts'

const children: SupervisedProcess[] = []
let localDir: string
let postgresUrl: string
let neonPort: number
let upstashUrl: string

beforeAll(async () => {
  localDir = await mkdtemp(join(tmpdir(), 'bounty-bridges-'))
  await chmod(localDir, 0o755)
  const env = childEnvironment(localDir)
  const start = (spec: ProcessSpec) => {
    const log = openProcessLog(join(localDir, 'logs', `${spec.name}.log`))
    const child = superviseProcess(spec, { log, report: () => {}, onPid: () => {} })
    children.push(child)
    return child.ready
  }
  const any = { port: 0, variable: '' }
  const [postgresPort = 0, redisPort = 0, neonHttp = 0, upstash = 0] = await claimPorts([any, any, any, any])
  const postgres = await postgresProcess({ localDir, port: postgresPort, password: 'secret', env })
  const redis = redisProcess({ localDir, port: redisPort, env })
  await Promise.all([start(postgres.spec), start(redis.spec)])
  postgresUrl = postgres.url
  neonPort = neonHttp
  upstashUrl = `http://${loopback}:${upstash}`
  const neonEnv = { ...env, PORT: String(neonHttp), DATABASE_URL: postgres.url, NEON_USER: 'worker', NEON_PASSWORD: 'right' }
  const upstashEnv = { ...env, PORT: String(upstash), REDIS_URL: redis.url, UPSTASH_TOKEN: 'token' }
  await Promise.all([
    start(nodeProcess({ name: 'neon-http', file: 'local/neon-http.ts', env: neonEnv })),
    start(nodeProcess({ name: 'upstash-rest', file: 'local/upstash-rest.ts', env: upstashEnv })),
  ])
  neonConfig.fetchEndpoint = `http://${loopback}:${neonPort}/sql`
}, 60_000)

afterAll(async () => {
  await Promise.all(children.toReversed().map((child) => child.stop()))
  await rm(localDir, { recursive: true, force: true })
}, 30_000)

describe('neon-http', () => {
  const sql = neon(`postgresql://worker:right@${loopback}/bounty`)

  test('values come back in the types of their columns', async () => {
    const rows =
      await sql`select 1::int as whole, 'text' as text, true as yes, null as nothing, ${{ a: [1] }}::jsonb as json, 9007199254740993::bigint as big`
    expect(rows).toEqual([{ whole: 1, text: 'text', yes: true, nothing: null, json: { a: [1] }, big: '9007199254740993' }])
  })

  test('bytes travel both ways', async () => {
    const [row] = await sql`select ${Buffer.from([0, 255, 10])}::bytea as bytes`
    expect(Buffer.from(row?.['bytes'] ?? []).toString('hex')).toBe('00ff0a')
  })

  test('an array mode and full results are as the driver asks', async () => {
    const result = await sql.query('select $1::text as a, $2::int as a', ['x', 2], { arrayMode: true, fullResults: true })
    expect(result.rows).toEqual([['x', 2]])
    expect(result).toMatchObject({ command: 'SELECT', rowCount: 1, rowAsArray: true })
    expect(result.fields.map((field) => [field.name, field.dataTypeID])).toEqual([
      ['a', 25],
      ['a', 23],
    ])
  })

  test('a batch is one transaction, with the isolation asked for', async () => {
    await sql`create table batch (id int primary key)`
    const results = await sql.transaction(
      [sql`insert into batch values (1)`, sql`select current_setting('transaction_isolation') as level, count(*)::int as n from batch`],
      { isolationLevel: 'Serializable' },
    )
    expect(results).toEqual([[], [{ level: 'serializable', n: 1 }]])
    await expect(sql.transaction([sql`insert into batch values (2)`, sql`insert into batch values (1)`])).rejects.toMatchObject({
      code: '23505',
    })
    expect(await sql`select id from batch`).toEqual([{ id: 1 }])
  })

  test('a read-only batch refuses to write', async () => {
    const write = sql.transaction([sql`insert into batch values (3)`], { readOnly: true })
    await expect(write).rejects.toMatchObject({ code: '25006' })
  })

  test('an SQL error carries the fields of Postgres', async () => {
    const error = await sql`insert into batch values (1)`.catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(NeonDbError)
    expect(error).toMatchObject({ code: '23505', constraint: 'batch_pkey', table: 'batch', schema: 'public', severity: 'ERROR' })
  })

  test('another password is refused', async () => {
    await expect(neon(`postgresql://worker:wrong@${loopback}/bounty`)`select 1`).rejects.toMatchObject({ code: '28P01' })
  })

  test('a connection that Postgres ends under a query costs that query, never the bridge', async () => {
    const pid = () => children.find(({ name }) => name === 'neon-http')?.pid()
    const before = pid()
    const direct = new Client({ connectionString: postgresUrl })
    await direct.connect()
    try {
      const sleeping = sql`select pg_sleep(30), 'to be ended'`.then(
        () => 'slept',
        () => 'ended',
      )
      await vi.waitFor(async () => {
        const ended = await direct.query(
          `select pg_terminate_backend(pid) from pg_stat_activity where query like '%to be ended%' and pid <> pg_backend_pid()`,
        )
        expect(ended.rowCount).toBe(1)
      })
      expect(await sleeping).toBe('ended')
      expect(await sql`select 1 as one`).toEqual([{ one: 1 }])
      expect(pid()).toBe(before)
    } finally {
      await direct.end()
    }
  })

  test('a request that is no query is refused', async () => {
    const response = await fetch(`http://${loopback}:${neonPort}/sql`, {
      method: 'POST',
      body: '{"queries": 1}',
      headers: { 'neon-connection-string': `postgresql://worker:right@${loopback}/bounty` },
    })
    expect(response.status).toBe(400)
  })
})

describe('upstash-rest', () => {
  const redis = () => new Redis({ url: upstashUrl, token: 'token', retry: false })

  test('values keep their types', async () => {
    await redis().set('value', { a: ['ü', 1] }, { ex: 60 })
    expect(await redis().get('value')).toEqual({ a: ['ü', 1] })
    expect(await redis().get('absent')).toBeNull()
    expect(await redis().ttl('value')).toBeGreaterThan(50)
    await redis().hset('hash', { x: 1, y: 'two' })
    expect(await redis().hgetall('hash')).toEqual({ x: 1, y: 'two' })
    expect(await redis().mget('value', 'absent')).toEqual([{ a: ['ü', 1] }, null])
  })

  test('a pipeline answers each command, a failed one too', async () => {
    const pipeline = redis().pipeline().set('text', 'abc').incr('text').get('text')
    const results = await pipeline.exec({ keepErrors: true })
    expect(results.map((entry) => entry.error ?? entry.result)).toEqual(['OK', expect.stringContaining('not an integer'), 'abc'])
  })

  test('a transaction runs as one', async () => {
    expect(await redis().multi().set('counter', 1).incrby('counter', 4).get('counter').exec()).toEqual(['OK', 5, 5])
  })

  test('scripts run, with the flag that only Upstash knows', async () => {
    const script = '#!lua flags=allow-key-locking\nreturn {KEYS[1], ARGV[1]}'
    expect(await redis().eval(script, ['k'], ['v'])).toEqual(['k', 'v'])
    const sha = await redis().scriptLoad(script)
    expect(await redis().evalsha(sha, ['k'], ['w'])).toEqual(['k', 'w'])
  })

  test('an error of Redis is an error of the client', async () => {
    await redis().set('word', 'x')
    await expect(redis().incr('word')).rejects.toThrow(/not an integer/)
    await expect(redis().exec(['BLPOP', 'list', '0'])).rejects.toThrow(/not available/)
  })

  test('commands may stand in the path', async () => {
    const headers = { authorization: 'Bearer token' }
    expect(await (await fetch(`${upstashUrl}/set/path/a%20b?EX=100`, { headers })).json()).toEqual({ result: 'OK' })
    expect(await (await fetch(`${upstashUrl}/get/path`, { headers })).json()).toEqual({ result: 'a b' })
  })

  test('another token is refused', async () => {
    await expect(new Redis({ url: upstashUrl, token: 'other', retry: false }).get('value')).rejects.toThrow(/WRONGPASS/)
  })

  test('a reply does not wait for the timer of the engine', async () => {
    const started = performance.now()
    for (let round = 0; round < 20; round++) await redis().get('value')
    expect((performance.now() - started) / 20).toBeLessThan(50)
  })
})

describe('migrate', () => {
  const migration = (name: string, sql: string): Migration => ({ name, sql, sha256: sql })

  test('applies what is new, in order, once', async () => {
    const first = migration('0001-a.sql', 'create table moved (id int)')
    const second = migration('0002-b.sql', 'insert into moved values (1)')
    expect(await migrate({ databaseUrl: postgresUrl, migrations: [first] })).toEqual(['0001-a.sql'])
    expect(await migrate({ databaseUrl: postgresUrl, migrations: [first, second] })).toEqual(['0002-b.sql'])
    expect(await migrate({ databaseUrl: postgresUrl, migrations: [first, second] })).toEqual([])
    const edited = { ...first, sha256: 'other' }
    await expect(migrate({ databaseUrl: postgresUrl, migrations: [edited, second] })).rejects.toThrow('0001-a.sql has changed')
    const broken = migration('0003-c.sql', 'insert into moved values (2); select nonsense')
    await expect(migrate({ databaseUrl: postgresUrl, migrations: [first, second, broken] })).rejects.toThrow('0003-c.sql failed')
    const sql = neon(`postgresql://worker:right@${loopback}/bounty`)
    expect(await sql`select count(*)::int as n from moved`).toEqual([{ n: 1 }])
  })
})
