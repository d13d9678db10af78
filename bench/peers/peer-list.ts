// The peers that do the same work as ours, each set up as its own documentation advises, and what each of them guarantees by that. Speed is shown beside this.
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { tiers } from '../../shared/tiers.ts'
import type { Answer, Contender, Guarantee, Guarantees } from '../contender.ts'
import { installNpmRuntime, npmRuntimePath, npmRuntimes } from './npm-runtime.ts'
import { peerCases } from './peer-programs.ts'
import { startPeer, type Peer } from './start-peer.ts'
import { installWasmtime, wasmtimePath, wasmtimeVersion } from './wasmtime-cli.ts'

type PeerKind = {
  name: string
  version: () => string
  /** Under bench/peers. */
  file: string
  flags?: string[]
  /** What has to be there; absent: comes with `npm install`. `path` is where it is once `install` has run. */
  needs?: { path: string; install: () => Promise<void>; isQuick: boolean }
  guarantees: Guarantees
  cannotRun?: Contender['cannotRun']
}

const yes = (how: string): Guarantee => ({ holds: true, how })
const no = (how: string): Guarantee => ({ holds: false, how })
const none = no('none')
const alone = { determinism: no('real clock and randomness'), 'durable result': none }

const npmRuntime = (name: 'deno' | 'bun') => ({
  version: () => npmRuntimes[name],
  file: `${name}.ts`,
  needs: { path: npmRuntimePath(name), install: () => installNpmRuntime(name), isQuick: true },
})

export const peerKinds: readonly PeerKind[] = [
  {
    name: 'wasmtime serve',
    version: () => wasmtimeVersion,
    file: 'wasmtime-serve.ts',
    needs: { path: wasmtimePath, install: installWasmtime, isQuick: false },
    guarantees: {
      'memory limit': yes('each run'),
      'CPU limit': yes('deadline, by the clock'),
      'isolation between runs': yes('an instance a run'),
      ...alone,
    },
    cannotRun: {
      markdown: 'the engine inside `jco componentize` has no Unicode classes in regular expressions, which the judged library needs',
    },
  },
  {
    name: 'workerd',
    version: () => packageVersion('workerd', 'miniflare'),
    file: 'workerd.ts',
    guarantees: {
      'memory limit': none,
      'CPU limit': none,
      'isolation between runs': no('an isolate a program, kept'),
      ...alone,
    },
  },
  {
    name: 'Deno, a Worker a request',
    ...npmRuntime('deno'),
    guarantees: {
      'memory limit': no('of the process alone'),
      // Measured in (d), and reported: https://github.com/denoland/deno/pull/35657
      'CPU limit': no('terminate() at the deadline leaves an endless loop running'),
      'isolation between runs': yes('an isolate a run, no permissions'),
      ...alone,
    },
  },
  {
    name: 'Bun, a Worker a request',
    ...npmRuntime('bun'),
    guarantees: {
      'memory limit': none,
      'CPU limit': yes('terminated, by the clock'),
      'isolation between runs': no("fresh globals, but the server's files and network"),
      ...alone,
    },
  },
  {
    name: 'isolated-vm behind Express',
    version: () => packageVersion('isolated-vm'),
    file: 'express-isolated-vm.ts',
    flags: ['--no-node-snapshot'],
    guarantees: {
      'memory limit': yes('each run; by its documentation no boundary by itself'),
      'CPU limit': yes('deadline, by the clock'),
      'isolation between runs': yes('an isolate a run'),
      ...alone,
    },
  },
  {
    name: 'quickjs-emscripten behind Hono',
    version: () => packageVersion('quickjs-emscripten'),
    file: 'hono-quickjs.ts',
    guarantees: {
      'memory limit': yes('each run'),
      'CPU limit': yes('deadline, by the clock; nobody else runs until then'),
      'isolation between runs': yes('a WebAssembly instance a run'),
      ...alone,
    },
  },
]

export type PeerOptions = { directory: string; wallMsMax: number; quick: boolean }

/** @throws with the reason when it cannot be had here */
export async function startContender(kind: PeerKind, { directory, wallMsMax, quick }: PeerOptions): Promise<Contender> {
  await provide(kind, quick)
  const start = () =>
    startPeer(
      kind.file,
      {
        PEER_PROGRAMS: directory,
        PEER_WALL_MS_MAX: String(wallMsMax),
        PEER_MEMORY_BYTES_MAX: String(tiers.basic.memoryBytesMax),
      },
      kind.flags,
    )
  let peer: Peer = await start()
  const headers = { 'content-type': 'application/json' }
  const ask: Contender['ask'] = async (program, input, signal): Promise<Answer> => {
    try {
      const response = await fetch(`${peer.url}/${program}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(input),
        signal: signal ?? null,
      })
      const text = await response.text()
      return response.ok ? { kind: 'output', text } : { kind: 'ended', why: `${response.status}` }
    } catch (error) {
      signal?.throwIfAborted()
      return { kind: 'ended', why: String(error) }
    }
  }
  return {
    name: kind.name,
    version: kind.version(),
    isOurs: false,
    guarantees: kind.guarantees,
    cannotRun: kind.cannotRun ?? {},
    wallMsMax,
    load: (program, input) => ({ url: `${peer.url}/${program}`, method: 'POST', headers, body: JSON.stringify(input) }),
    isRight: (body, output) => body === output,
    ask,
    async judge() {
      const began = performance.now()
      const outputs = await manyAtOnce(peerCases, judgedAtOnce, async ({ input }) => {
        const answer = await ask('markdown', input)
        if (answer.kind !== 'output') throw new Error(`${kind.name} ended a case: ${answer.why}`)
        return answer.text
      })
      return { ms: performance.now() - began, outputSha256: outputs.map((text) => createHash('sha256').update(text).digest('hex')) }
    },
    pid: () => peer.pid,
    async restart() {
      await peer.stop()
      peer = await start()
    },
    stop: () => peer.stop(),
  }
}

/** No guide names a number; two for each core keep all of them busy. */
export const judgedAtOnce = availableParallelism() * 2

async function manyAtOnce<T, R>(items: readonly T[], atOnce: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const waiting = [...items.entries()]
  const lane = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) results[next[0]] = await work(next[1])
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
  return results
}

async function provide({ needs }: PeerKind, quick: boolean): Promise<void> {
  if (!needs) return
  if (!existsSync(needs.path) && quick && !needs.isQuick) throw new Error('not built yet: the full measurement does that')
  await needs.install()
}

/** Of what runs, not of what is asked for. @param of the package that brings it; absent: this one */
function packageVersion(name: string, of?: string): string {
  const own = createRequire(import.meta.url)
  const from = of === undefined ? fileURLToPath(import.meta.url) : own.resolve(of)
  const found =
    createRequire(from)
      .resolve.paths(name)
      ?.map((path) => join(path, name, 'package.json')) ?? []
  for (const path of found) {
    try {
      return JSON.parse(readFileSync(path, 'utf8')).version
    } catch {
      // Not in this folder; the next one up may have it.
    }
  }
  throw new Error(`${name} is not installed`)
}
