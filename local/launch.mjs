// `npm start`: sets up, then hands over to `start.ts` on the Node that the set-up installed (the system's may not run TypeScript).
// A terminal sends Ctrl-C to every process of the group and npm sends it again; `start.ts` is in a group of its own and is told
// by this file alone, which then waits for it, so that nothing is left behind when the prompt returns.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import { setUp } from './setup.mjs'

const path = (name) => fileURLToPath(new URL(name, import.meta.url))

const args = process.argv.slice(2)
const startedAt = performance.now()
const status = args.includes('--help') ? 0 : await setUp({ quiet: args.includes('--quiet') })
if (status !== 0) process.exit(status)

const installed = path('../node_modules/node/bin/node')
const node = existsSync(installed) ? installed : process.execPath
// The IPC channel closes with this process however it dies, and tells start.ts to stop everything.
const child = spawn(node, [path('start.ts'), ...args], {
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  detached: true,
  // "Ready after" counts from the command, not from the end of the set-up.
  env: { ...process.env, AGENT_BOUNTY_SETUP_MS: String(Math.round(performance.now() - startedAt)) },
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('error', (error) => {
  console.error(`  cannot run ${node}: ${error.message}`)
  process.exitCode = 1
})
child.on('exit', (code, signal) => {
  process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0)
  if (process.connected) process.disconnect()
})
