// The load test under the name that it has elsewhere: `npx tsx scripts/load-test.ts --quick | (nothing) | --sustained` is
// `npm run bench -- api --quick`, `npm run bench -- api` and `npm run bench -- --sustained`.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const args = process.argv.slice(2)
const names = args.includes('--sustained') ? [] : ['api']
// npm brings the Node that the benchmark runs on; this one may be older.
const { status } = spawnSync('npm', ['run', 'bench', '--', ...names, ...args], {
  stdio: 'inherit',
  cwd: fileURLToPath(new URL('..', import.meta.url)),
})
process.exitCode = status ?? 1
