// Child: the Worker in workerd, through miniflare, with the bindings that `wrangler.toml` names. Ends when workerd ends, so that its
// supervisor starts both again.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { Miniflare } from 'miniflare'
import { parse } from 'smol-toml'
import { loopback } from './free-port.ts'
import { miniflareOptions } from './miniflare-options.ts'
import { childSetting, runChild } from './run-child.ts'

/** A cron fires once a minute at most; nobody who tries something out wants to wait for that. */
const cronEveryMs = 5_000

await runChild(async () => {
  const port = Number(childSetting('EDGE_PORT'))
  const localDir = childSetting('LOCAL_DIR')
  const worker = miniflareOptions(parse(await readFile(childSetting('WRANGLER_TOML'), 'utf8')), {
    // Our starter wrote it: names of bindings to their values.
    bindings: JSON.parse(childSetting('WORKER_BINDINGS')) as Record<string, string>,
    s3Credentials: { accessKeyId: childSetting('R2_ACCESS_KEY_ID'), secretAccessKey: childSetting('R2_SECRET_ACCESS_KEY') },
  })
  let stopping = false
  const miniflare = new Miniflare({
    ...worker.options,
    modules: true,
    // Bundled once by the starter: what is healed is what ran, whatever has become of the sources.
    script: await readFile(childSetting('WORKER_SCRIPT'), 'utf8'),
    host: loopback,
    port,
    // Straight to the Worker, without miniflare's own entry in front: the socket to measure.
    unsafeDirectSockets: [{ host: loopback, port: Number(childSetting('DIRECT_PORT')) }],
    // `*Persist` options belong to the whole instance; inside `workers[]` they are ignored.
    r2Persist: join(localDir, 'r2'),
    cachePersist: false,
    // Otherwise a sample of `request.cf` is fetched over the network at the first start.
    cf: false,
    logRequests: false,
    handleRuntimeStdio: (stdout: Readable, stderr: Readable) => {
      stdout.pipe(process.stdout)
      stderr.pipe(process.stderr)
      stdout.on('end', () => {
        if (!stopping) process.exit(1)
      })
    },
  })
  await miniflare.ready
  const crons = setInterval(() => {
    for (const cron of worker.crons) void fire(miniflare, cron)
  }, cronEveryMs)
  return {
    port,
    stop: async () => {
      stopping = true
      clearInterval(crons)
      await miniflare.dispose()
    },
  }
})

async function fire(miniflare: Miniflare, cron: string): Promise<void> {
  try {
    const worker = await miniflare.getWorker()
    const { outcome } = await worker.scheduled({ cron })
    if (outcome !== 'ok') console.error(`the cron ${JSON.stringify(cron)} ended with ${outcome}`)
  } catch (error) {
    // The next one tries again; what keeps it from working shows in what it should have done.
    console.error(`the cron ${JSON.stringify(cron)} was not fired: ${error instanceof Error ? error.message : String(error)}`)
  }
}
