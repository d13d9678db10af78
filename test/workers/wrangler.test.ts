import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { parse } from 'smol-toml'
import { expect, test } from 'vitest'
import { holdToBudget } from '../budgets/hold-to-budget.ts'

test('wrangler accepts the configuration, and what it would deploy is small', { timeout: 60_000 }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'bounty-wrangler-'))
  try {
    const wrangler = join('node_modules', '.bin', 'wrangler')
    const { stdout } = await promisify(execFile)(wrangler, ['deploy', '--dry-run', '--outdir', directory], {
      env: { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: '1' },
    })
    expect(stdout).toContain('env.ARTIFACTS')
    // Cloudflare's free plan takes 3 MB after compression; a small Worker also starts sooner.
    const bundle = await readFile(join(directory, 'index.js'))
    holdToBudget('worker', 'bundle', { bytes: bundle.length, gzipBytes: gzipSync(bundle).length }, { within: 0.02 })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})

test("what loosens the rules on a developer's machine is not in the configuration of production", async () => {
  const set = parse(await readFile('wrangler.toml', 'utf8'))
  expect(JSON.stringify(set)).not.toMatch(/ALLOW_LOCAL_WEBHOOKS|NEON_HTTP_ENDPOINT/)
  expect(JSON.stringify(set)).toContain('UPSTASH_REDIS_REST_URL')
})
