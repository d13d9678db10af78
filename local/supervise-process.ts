// Keeps one child process alive: starts it, waits until it is ready, starts it again when it dies, and stops it for good.
// Each child leads a process group, so that what it started (miniflare's workerd) dies with it and the port is free again at once.
import { spawn, type ChildProcess } from 'node:child_process'
import type { ProcessLog } from './process-log.ts'

export type ProcessSpec = {
  name: string
  command: string
  args: string[]
  env: Record<string, string>
  cwd?: string
  /** Whom to run it as, when this process may choose. */
  owner?: { uid: number; gid: number }
  /** Asked until true. Absent: a Node child that sends `{type:'ready'}` over IPC. */
  isReady?: () => Promise<boolean>
  stopSignal?: NodeJS.Signals
  /** Before each of its lives. */
  beforeStart?: () => void
  /** In each of its lives, once it is ready. */
  afterReady?: (pid: number) => void
  /** Longer than this and a start counts as failed. Default 30 s. */
  startWallMsMax?: number
}

export type SupervisedProcess = {
  name: string
  /** Of the running child; undefined between two lives. */
  pid: () => number | undefined
  /** Resolves when it is ready for the first time; rejects with its last words when it cannot be started. */
  ready: Promise<void>
  stop: () => Promise<void>
  /** SIGKILL, for a second Ctrl-C. */
  kill: () => void
}

export type SuperviseOptions = { log: ProcessLog; report: (line: string) => void; onPid: (name: string, pid: number) => void }

const startWallMsMaxDefault = 30_000
const firstStartsMax = 3
const stopGraceMs = 5_000
const probeEveryMs = 40
/** A life longer than this ends a series of failures. */
const soundLifeMs = 10_000
const restartDelayMsMax = 5_000

/** The first death of a series is healed at once, later ones after 100, 200, 400 … ms. */
export function restartDelayMs(failuresInARow: number): number {
  return failuresInARow <= 1 ? 0 : Math.min(100 * 2 ** (failuresInARow - 2), restartDelayMsMax)
}

export function superviseProcess(spec: ProcessSpec, { log, report, onPid }: SuperviseOptions): SupervisedProcess {
  let child: ChildProcess | undefined
  let stopping = false
  let wasReady = false
  let failures = 0
  let restart: NodeJS.Timeout | undefined
  const { promise: ready, resolve: onReady, reject: onHopeless } = Promise.withResolvers<void>()
  // Somebody who never asks must not crash the starter.
  ready.catch(() => {})

  function start() {
    const startedAt = performance.now()
    spec.beforeStart?.()
    const current = spawn(spec.command, spec.args, {
      env: spec.env,
      detached: true,
      stdio: spec.isReady ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'pipe', 'pipe', 'ipc'],
      ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
      ...spec.owner,
    })
    child = current
    log.attach(current)
    if (current.pid !== undefined) onPid(spec.name, current.pid)
    const overdue = setTimeout(() => {
      log.write(`not ready after ${spec.startWallMsMax ?? startWallMsMaxDefault} ms: killed`)
      killGroup(current, 'SIGKILL')
    }, spec.startWallMsMax ?? startWallMsMaxDefault)

    const announce = () => {
      clearTimeout(overdue)
      if (wasReady) report(`${spec.name} is back after ${Math.round(performance.now() - startedAt)} ms (pid ${current.pid})`)
      wasReady = true
      if (current.pid !== undefined) spec.afterReady?.(current.pid)
      onReady()
    }
    if (spec.isReady) void probe(spec.isReady, () => child === current && !stopping).then((isReady) => isReady && announce())
    else current.on('message', (message) => isReadyMessage(message) && announce())

    let ended = false
    const onEnd = (cause: string, { hasLastWords }: { hasLastWords: boolean }) => {
      if (ended) return
      ended = true
      clearTimeout(overdue)
      // What it had started lives on in its group, and on its ports.
      killGroup(current, 'SIGKILL')
      if (child === current) child = undefined
      if (stopping) return
      failures = wasReady && performance.now() - startedAt > soundLifeMs ? 1 : failures + 1
      if (!wasReady && failures >= firstStartsMax) {
        onHopeless(new Error(`${spec.name} cannot be started (${cause}); log: ${log.path}\n${log.tail()}`))
        return
      }
      const delayMs = restartDelayMs(failures)
      const lastWords = hasLastWords && log.tail() ? `\n${log.tail()}` : ''
      report(`${spec.name} ${cause}; starting it again${delayMs ? ` in ${delayMs} ms` : ''}${lastWords}`)
      restart = setTimeout(start, delayMs)
    }
    current.on('error', (error) => onEnd(`cannot run: ${error.message}`, { hasLastWords: false }))
    current.on('exit', (code, signal) => {
      // Whoever is killed from outside had nothing to say about it.
      if (signal === 'SIGKILL') onEnd('was killed', { hasLastWords: false })
      else onEnd(signal ? `was ended by ${signal}` : `ended with code ${code}`, { hasLastWords: true })
    })
  }

  async function stop() {
    stopping = true
    clearTimeout(restart)
    const current = child
    if (current === undefined || current.exitCode !== null || current.signalCode !== null) return
    const gone = new Promise<void>((resolve) => current.once('exit', () => resolve()))
    current.kill(spec.stopSignal ?? 'SIGTERM')
    const overdue = setTimeout(() => killGroup(current, 'SIGKILL'), stopGraceMs)
    await gone
    clearTimeout(overdue)
    killGroup(current, 'SIGKILL')
  }

  function kill() {
    stopping = true
    clearTimeout(restart)
    if (child) killGroup(child, 'SIGKILL')
  }

  start()
  return { name: spec.name, pid: () => child?.pid, ready, stop, kill }
}

function isReadyMessage(message: unknown): boolean {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === 'ready'
}

async function probe(isReady: () => Promise<boolean>, isWanted: () => boolean): Promise<boolean> {
  while (isWanted()) {
    if (await isReady().catch(() => false)) return true
    await new Promise((resolve) => setTimeout(resolve, probeEveryMs))
  }
  return false
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals) {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // ESRCH: the whole group is gone already, which is what is wanted.
  }
}
