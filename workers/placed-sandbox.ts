// Many sandbox hosts as one: chooses a host for each program (shared/placement.ts), goes on to the next one when it says no, or is lost, and finds
// the host that holds what was run.
//
//   refused: full, draining, meant for another one …   it was not begun: the next host
//   lost: no answer, or half of one                    it may have been begun: once more, on one other host, unless it is recorded meanwhile
//   anything else                                      the answer
//
// That a run may be begun twice is safe: it has no effect but its record, which is the same on every host but for the time it took, is known
// by its id, and counts once. That it is begun on two hosts at most is for the hosts' sake: what killed one of them shall not go round.
import { isRecorded } from '../shared/async-execution.ts'
import { outcomeOf } from '../shared/execution.ts'
import { ProblemError, type ProblemCode } from '../shared/problem.ts'
import type { HeardHost } from '../shared/host-ports.ts'
import type { ExecutionStore, Sandbox } from '../shared/ports.ts'
import { placementOrder } from '../shared/placement.ts'
import type { TierName } from '../shared/tiers.ts'
import type { HostDirectory, KnownHost } from './host-directory.ts'
import { mergeMetrics } from './merge-metrics.ts'

/** A request is brought before so many hosts; when these have no room, the others hardly have. */
const refusalsMax = 4
const lossesMax = 2
/** The platform opens six connections for one request at once; more would only wait. */
const askedAtOnce = 6

const refusals: ReadonlySet<ProblemCode> = new Set([
  'overloaded',
  'draining',
  'misdirected',
  'artifacts-unavailable',
  'tier-unavailable',
  'engine-unsupported',
])
/** These say that the host itself is not there, or not for long. */
const doubtful: ReadonlySet<ProblemCode> = new Set(['sandbox-unavailable', 'draining', 'misdirected'])
/** Of several refusals the caller is told the first of these that there is. */
const tellingFirst: ProblemCode[] = ['overloaded', 'draining', 'artifacts-unavailable', 'sandbox-unavailable']

export type ConnectedHost = Pick<HeardHost, 'id' | 'instance'>

export type PlacedSandboxOptions = {
  directory: HostDirectory
  /** The port to one host. */
  connect: (host: ConnectedHost) => Sandbox
  /** Where a run that got lost is looked for before it is begun elsewhere. */
  executions: Pick<ExecutionStore, 'find'>
  /** Goes on behind the answer. */
  later: (work: Promise<unknown>) => void
}

type Placed<T> = {
  /** Hash of the program. */
  key: string
  tier?: TierName
  call: (host: Sandbox) => Promise<T>
  /** After a loss. @returns the answer, if it is there by now */
  found?: () => Promise<T | undefined>
  /** Whether it may go on elsewhere at all. */
  mayGoOn?: () => boolean
}

export function placedSandbox({ directory, connect, executions, later }: PlacedSandboxOptions): Sandbox {
  async function place<T>({ key, tier, call, found, mayGoOn = () => true }: Placed<T>): Promise<{ answer: T; host?: KnownHost }> {
    const errors: ProblemError[] = []
    let losses = 0
    for (const host of inOrder(await directory.takers(), { key, tier }).slice(0, refusalsMax)) {
      const end = directory.begin(host.id)
      try {
        return { answer: await call(connect(host)), host }
      } catch (error) {
        if (!(error instanceof ProblemError) || !mayGoOn()) throw error
        errors.push(error)
        if (error.code !== 'sandbox-unavailable' && !refusals.has(error.code)) throw error
        if (doubtful.has(error.code)) directory.doubt(host.id)
        if (error.code === 'sandbox-unavailable' && ++losses >= lossesMax) throw error
      } finally {
        end()
      }
      const answer = losses > 0 ? await found?.() : undefined
      if (answer !== undefined) return { answer }
    }
    if (errors.every(({ code }) => doubtful.has(code))) directory.expire()
    throw tellingError(errors)
  }

  /** @returns the first answer that is one; undefined when every host says that it has no such thing. @throws what keeps us from knowing */
  async function ask<T>(hosts: readonly ConnectedHost[], call: (host: Sandbox) => Promise<T | undefined>): Promise<T | undefined> {
    let failure: unknown
    for (let i = 0; i < hosts.length; i += askedAtOnce) {
      const answers = await Promise.allSettled(hosts.slice(i, i + askedAtOnce).map((host) => call(connect(host))))
      for (const answer of answers) {
        if (answer.status === 'rejected') failure ??= answer.reason
        else if (answer.value !== undefined) return answer.value
      }
    }
    if (failure === undefined) return undefined
    throw failure instanceof ProblemError && failure.code === 'misdirected' ? noHost(failure) : failure
  }

  return {
    async prepare(program, owner) {
      const call = (host: Sandbox) => host.prepare(program, owner)
      const { answer, host } = await place({ key: program.sha256, call })
      // Should that host go, the next one has it on its disk.
      const [second] = inOrder(await directory.takers(), { key: program.sha256 }).filter(({ id }) => id !== host?.id)
      const prepared = { ...answer.program, ...program }
      if (second) {
        const again = connect(second).prepare(prepared, { ...owner, isNew: false })
        later(again.catch(() => {}))
      }
      return answer
    },

    async run(execution) {
      const { id, tier, program } = execution
      const call = (host: Sandbox) => host.run(execution)
      // A database that does not answer is no reason to give up: the record that comes second changes nothing.
      const found = async () => {
        const ran = await executions.find(id).catch(() => undefined)
        return ran && isRecorded(ran) ? { status: ran.status, outcome: JSON.stringify(outcomeOf(ran)) } : undefined
      }
      return (await place({ key: program.sha256, tier, call, found })).answer
    },

    async runAsync(execution) {
      const { tier, program } = execution
      // `execution-broken-off` says that it was begun: that is an attempt, and whoever counts them decides.
      return (await place({ key: program.sha256, tier, call: (host) => host.runAsync(execution) })).answer
    },

    async cancel(id) {
      const told = await Promise.allSettled((await directory.takers()).map((host) => connect(host).cancel(id)))
      for (const one of told) if (one.status === 'rejected') throw one.reason
    },

    async judge(cases, keep) {
      let isKept = false
      const kept: typeof keep = (judged) => {
        isKept = true
        return keep(judged)
      }
      const call = (host: Sandbox) => host.judge(cases, kept)
      return (await place({ key: cases.program.sha256, tier: cases.tier, call, mayGoOn: () => !isKept })).answer
    },

    async findExecution(id) {
      return ask(await directory.holders(), (host) => host.findExecution(id))
    },

    async readObject(key, range) {
      const [, hostId] = key.split('/')
      const holder = (await directory.holders()).filter(({ id }) => id === hostId)
      return ask(holder, (host) => host.readObject(key, range))
    },

    async ping() {
      const takers = sorted(await directory.takers()).slice(0, askedAtOnce)
      await Promise.any(takers.map((host) => connect(host).ping())).catch((cause: unknown) => {
        throw noHost(cause)
      })
    },

    async metrics() {
      const takers = await directory.takers()
      const texts: string[] = []
      const up = new Map<string, boolean>()
      for (let i = 0; i < takers.length; i += askedAtOnce) {
        const some = takers.slice(i, i + askedAtOnce)
        const answers = await Promise.allSettled(some.map((host) => connect(host).metrics()))
        for (const [j, answer] of answers.entries()) {
          up.set(some[j]?.id ?? '', answer.status === 'fulfilled')
          if (answer.status === 'fulfilled') texts.push(answer.value)
        }
      }
      if (texts.length === 0) throw noHost(new Error('no host tells its metrics'))
      return mergeMetrics([hostsUp(up), ...texts])
    },
  }
}

/** Those that offer the tier, if there are any: else whoever is asked says what is offered. */
function inOrder(hosts: KnownHost[], { key, tier }: { key: string; tier?: TierName | undefined }): KnownHost[] {
  const offering = hosts.filter(({ tiers }) => tier === undefined || tiers.includes(tier))
  return sorted(placementOrder(key, offering.length > 0 ? offering : hosts))
}

/** Those in doubt last; otherwise in the order that was. */
function sorted(hosts: KnownHost[]): KnownHost[] {
  return hosts.toSorted((a, b) => Number(a.isDoubted) - Number(b.isDoubted))
}

function tellingError(errors: ProblemError[]): ProblemError {
  for (const code of tellingFirst) {
    const told = errors.find((error) => error.code === code)
    if (told) return told
  }
  const [first] = errors.filter(({ code }) => code !== 'misdirected')
  return first ?? noHost(errors[0] ?? new Error('no host is known'))
}

function noHost(cause: unknown): ProblemError {
  return new ProblemError('sandbox-unavailable', {
    detail: 'no sandbox host answers as it should; the request may be repeated',
    retryAfterSeconds: 1,
    internal: cause instanceof Error ? cause.message : String(cause),
    cause,
  })
}

function hostsUp(up: ReadonlyMap<string, boolean>): string {
  return [
    '# HELP bounty_host_up Whether a host answered when it was asked for its metrics.',
    '# TYPE bounty_host_up gauge',
    ...[...up].map(([id, isUp]) => `bounty_host_up{host="${id}"} ${isUp ? 1 : 0}`),
  ].join('\n')
}
