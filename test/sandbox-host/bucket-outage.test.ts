// The bucket is away, and comes back: the S3 endpoint of miniflare, stopped and started again. Work goes on until the disk budget is used up,
// then it is refused; afterwards everything arrives.
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Miniflare } from 'miniflare'
import { expect, onTestFinished, test } from 'vitest'
import { programKey } from '../../shared/agent.ts'
import { executionRecordSchema, placeOf } from '../../shared/execution.ts'
import type { ExecutionRecord, StoredArtifact } from '../../shared/execution.ts'
import { claimPorts } from '../../local/free-port.ts'
import { createBucket } from '../../sandbox-host/bucket.ts'
import { eventually } from '../fakes/eventually.ts'
import { createFakeEngine } from '../fakes/fake-engine.ts'
import { startTestHost } from '../fakes/test-host.ts'

const MiB = 1024 * 1024
const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' }

test('the bucket away: work until the budget, then 429 and not ready; back: work again, and every artifact arrives', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'bounty-outage-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const [port = 0] = await claimPorts([{ port: 0, variable: '' }])
  let bucketServer: Miniflare | undefined
  const start = async () => {
    bucketServer = new Miniflare({
      modules: true,
      script: 'export default { fetch: () => new Response("none", { status: 404 }) }',
      port,
      r2Buckets: { BUCKET: { id: 'outage', s3Credentials: credentials } },
      r2Persist: directory,
      cf: false,
    })
    await bucketServer.ready
  }
  const stop = async () => {
    await bucketServer?.dispose()
    bucketServer = undefined
  }
  onTestFinished(stop)
  await start()

  const url = `http://127.0.0.1:${port}/cdn-cgi/local/r2/s3/outage`
  const bucket = createBucket({ url, ...credentials })
  let run = 0
  // One is an object of its own, the other lies in the bundle.
  const artifacts = () => [
    { name: 'large', bytes: Buffer.alloc(1.5 * MiB, ++run) },
    { name: 'small', bytes: Buffer.alloc(MiB / 2, run) },
  ]
  const engine = createFakeEngine({ behaviours: { writing: () => ({ artifacts: artifacts() }) } })
  const environment = { R2_ENDPOINT: url, R2_ACCESS_KEY_ID: 'key', R2_SECRET_ACCESS_KEY: 'secret', JOURNAL_BYTES_MAX: String(8 * MiB) }
  await using host = await startTestHost({ engine, environment })
  const program = host.program('writing')
  await bucket.put(programKey(program.sha256), Buffer.from('writing'))

  const records: ExecutionRecord[] = []
  const execute = async () => {
    const answer = await host.post('/v1/executions', host.execution('writing', { program }))
    if (answer.status === 200) records.push(executionRecordSchema.parse(answer.json()))
    return answer
  }
  const ready = async () => (await fetch(`${host.url}/ready`)).status
  expect((await execute()).status).toBe(200)
  await eventually(() => bucket.get(placeOf(artifactOf(records[0], 0)).key, 8 * MiB).then((bytes) => bytes?.length), 1.5 * MiB, {
    withinMs: 15_000,
  })

  await stop()
  let refused = await execute()
  while (refused.status === 200 && records.length < 10) refused = await execute()
  expect(refused.problem()).toMatchObject({ status: 429, code: 'overloaded', detail: expect.stringContaining('handed over') })
  expect(refused.headers.get('retry-after')).toBe('5')
  // 2 MiB each: the fourth fills the budget of 8.
  expect(records.length).toBeGreaterThanOrEqual(5)
  expect(await ready()).toBe(503)
  for (const { id } of records) expect((await host.get(`/v1/executions/${id}`)).status).toBe(200)

  await start()
  // Attempts are up to 5 s apart by now.
  await eventually(ready, 200, { withinMs: 30_000 })
  expect((await execute()).status).toBe(200)
  // Uploads are in order, bundles behind what they name: the one that was made last arrives last.
  const last = placeOf(artifactOf(records.at(-1), 1))
  await eventually(async () => (await bucket.get(last.key, 64 * MiB)) !== undefined, true, { withinMs: 20_000 })
  await host.stop()
  for (const { artifacts: stored } of records) {
    for (const artifact of stored) {
      const { key, offset } = placeOf(artifact)
      const object = await bucket.get(key, 64 * MiB)
      const bytes = object?.subarray(offset, offset + artifact.bytes) ?? ''
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(artifact.sha256)
    }
  }
}, 60_000)

function artifactOf(record: ExecutionRecord | undefined, position: number): StoredArtifact {
  const artifact = record?.artifacts[position]
  if (!artifact) throw new Error(`the execution made no artifact ${position}`)
  return artifact
}
