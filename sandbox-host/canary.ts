// Looks for what the compiler of scripts may do wrong: of the executions of compiled scripts some are run again, interpreted, when nothing else
// wants to run, and all that can be seen of the two but fuel, time and memory is compared. Nobody waits for it: a sample is dropped where there is
// no room for it, and its run is stopped as soon as somebody else wants the thread.
//
//   execution ended ─1 in N─▶ held ─▶ idle slot (admission.ts) ─▶ run interpreted ─┬─▶ the same
//                               ▲                                                  ├─▶ differs: counted, logged without what is in it
//                               └────────── somebody wanted to run ◀───────────────┘
import type { GuestStatus, HostExecution } from '../shared/execution.ts'
import type { Admission } from './admission.ts'
import { systemClock, type Clock } from './clock.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { Programs } from './programs.ts'
import { acceptOutcome } from './run-outcome.ts'
import type { AcceptedOutcome } from './run-outcome.ts'
import { runLimits } from './sandbox-engine.ts'
import type { RunLimits, SandboxEngine } from './sandbox-engine.ts'
import { sha256Hex } from './sign-receipt.ts'

export type CanaryOptions = {
  /** One of so many executions of compiled scripts; 0: none. */
  oneIn: number
  programs: Pick<Programs, 'use'>
  engine: Pick<SandboxEngine, 'run'>
  admission: Pick<Admission, 'admitIdle' | 'isIdle'>
  metrics: Pick<Metrics, 'canary'>
  log: Log
  random?: () => number
  clock?: Clock
}

/** What ended, and what came out of it. `input` is JSON text. */
export type Sample = { execution: Omit<HostExecution, 'input'>; input: string; outcome: AcceptedOutcome }

export type Canary = {
  /** Answers at once, and never throws. */
  offer: (sample: Sample) => void
  /** Stops what is under way, and takes nothing more. */
  stop: () => void
}

/** Their inputs are held; a megabyte each at most. */
const heldMax = 8
/** How often it looks for an idle thread while it holds something. */
const lookEveryMs = 100
/** A sample that was stopped so often, or waited so long, is let go. */
const stopsMax = 3
const waitMsMax = 60_000
/** On whose share the program is prepared where it has to be. */
const accountId = 'canary'
/** Interpreting takes longer, and more fuel; where even this ends a run there is nothing to compare. */
const patience = 10
/** These say how much there was of something, of which compiled code takes another amount. */
const ofAmounts: ReadonlySet<GuestStatus> = new Set(['out-of-fuel', 'deadline', 'memory-limit'])

type Held = Sample & { stops: number; until: number }

export function createCanary(options: CanaryOptions): Canary {
  const { oneIn, programs, engine, admission, metrics, log, random = Math.random, clock = systemClock } = options
  const held: Held[] = []
  let isLooking = false
  let isStopped = false
  let current: AbortController | undefined

  function offer(sample: Sample): void {
    const { kind, scriptMode } = sample.execution.program
    if (oneIn === 0 || isStopped || kind !== 'script' || scriptMode !== 'compiled' || ofAmounts.has(sample.outcome.status)) return
    if (random() * oneIn >= 1) return
    if (held.length >= heldMax) return metrics.canary('dropped')
    held.push({ ...sample, stops: 0, until: clock.now() + waitMsMax })
    look()
  }

  function look(): void {
    if (isLooking) return
    isLooking = true
    clock.after(lookEveryMs, () => {
      void compareNext().finally(() => {
        isLooking = false
        if (held.length > 0 && !isStopped) look()
      })
    })
  }

  async function compareNext(): Promise<void> {
    const [next] = held
    if (!next || isStopped) return
    if (next.until < clock.now()) return drop()
    if (!admission.isIdle) return
    const { program, seed, startTime, tier } = next.execution
    try {
      // Where it is not loaded that is a run of its own, on our own share.
      using loaded = await programs.use({ ...program, scriptMode: 'interpreted' }, accountId)
      const limits = patientLimits(runLimits(tier))
      const again = await inIdleSlot(limits.memoryBytes, async (signal) => {
        const request = { input: next.input, seed, startTimeMs: Date.parse(startTime), limits }
        return acceptOutcome(await engine.run(loaded.handle, request, signal), loaded.mapStack)
      })
      if (again === 'stopped' && ++next.stops >= stopsMax) return drop()
      if (typeof again === 'string') return
      held.shift()
      report(next, again)
    } catch (error) {
      log.warn({ err: error, program: program.sha256 }, 'a compiled execution could not be run again interpreted')
      drop()
    }
  }

  /** @returns why there is no outcome: nothing was idle, or somebody else wanted to run */
  async function inIdleSlot(
    memoryBytes: number,
    run: (signal: AbortSignal) => Promise<AcceptedOutcome>,
  ): Promise<AcceptedOutcome | 'not-idle' | 'stopped'> {
    const stopping = new AbortController()
    const slot = admission.admitIdle(memoryBytes, () => stopping.abort())
    if (!slot) return 'not-idle'
    current = stopping
    try {
      return await run(stopping.signal)
    } catch (error) {
      if (stopping.signal.aborted) return 'stopped'
      throw error
    } finally {
      current = undefined
      slot.release()
    }
  }

  function drop(): void {
    held.shift()
    metrics.canary('dropped')
  }

  function report({ execution: { program, seed, tier, startTime }, outcome }: Sample, again: AcceptedOutcome): void {
    if (ofAmounts.has(again.status)) return metrics.canary('dropped')
    const fields = differences(outcome, again)
    metrics.canary(fields.length === 0 ? 'same' : 'different')
    if (fields.length === 0) return
    log.error({ program: program.sha256, seed, tier, startTime, fields }, 'a compiled script did something else than interpreted')
  }

  return {
    offer,
    stop() {
      isStopped = true
      held.length = 0
      current?.abort()
    },
  }
}

function patientLimits(limits: RunLimits): RunLimits {
  return { ...limits, fuel: limits.fuel * patience, wallMs: limits.wallMs * patience }
}

/** Names of what differs, never what is in it. */
function differences(a: AcceptedOutcome, b: AcceptedOutcome): string[] {
  const [seenA, seenB] = [seenOf(a), seenOf(b)]
  // The keys of what was made here.
  const fields = Object.keys(seenA) as (keyof typeof seenA)[]
  return fields.filter((field) => JSON.stringify(seenA[field]) !== JSON.stringify(seenB[field]))
}

function seenOf({ status, output, error, logs, artifacts }: AcceptedOutcome) {
  return {
    status,
    output: output ?? null,
    error: error ? { name: error.name, message: error.message, stack: error.stack } : null,
    logs: { stdout: logs.stdout, stderr: logs.stderr, truncated: logs.truncated },
    artifacts: artifacts.map(({ name, bytes }) => ({ name, sha256: sha256Hex(bytes) })),
  }
}
