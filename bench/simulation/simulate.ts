// Placement and queueing over an hour, or a trace, of many hosts: the product's own code places (workers/placed-sandbox.ts with the directory of each
// isolate, shared/placement.ts), on virtual time, over hosts that only queue. Seeded: the same parameters give the same figures.
import { startTimeDefault } from '../../shared/execution.ts'
import { beatMs } from '../../shared/host.ts'
import { makeId } from '../../shared/ids.ts'
import { rendezvousOrder } from '../../shared/placement.ts'
import { HostDirectory } from '../../workers/host-directory.ts'
import { placedSandbox } from '../../workers/placed-sandbox.ts'
import { SimulatedHost, simulatedSandbox, type Begun, type HostModel, type SimulatedRun } from './simulated-host.ts'
import { VirtualTime } from './virtual-time.ts'

export type Arrival = Omit<SimulatedRun, 'begun'> & { atMs: number }

export type Simulation = {
  hostIds: readonly string[]
  model: HostModel
  /** By time. */
  arrivals: Iterable<Arrival>
  /** Hashes of the programs, by which they are placed. Each was deployed before: it is on the disks of its first two hosts. */
  programs: readonly string[]
  /** Placed anew for each request instead, which is what a balancer does that does not look at programs. */
  isPlacedByChance?: boolean
  /** Isolates of the Worker, each with what it has seen alone; requests come to them in turn. */
  isolates: number
  /** What is before this is left out of the figures. */
  warmUpMs: number
  endMs: number
  death?: { atMs: number; host: number; awayMs: number }
}

export type SimulationResult = {
  executions: number
  failed: number
  /** Begun a second time, because the host that had them was lost. */
  begunTwice: number
  warmShare: number
  waitMsP50: number
  waitMsP90: number
  waitMsP99: number
  waitMsMax: number
  /** Time on the threads of the busiest host over that of the mean. */
  imbalance: number
  utilisation: number
  /** Runs of each host. */
  runs: Record<string, number>
  /** Around the death of a host, each a window of ten seconds. */
  windows: { fromMs: number; executions: number; warmShare: number; waitMsP99: number }[]
}

const windowMs = 10_000

export async function simulate(simulation: Simulation): Promise<SimulationResult> {
  const { hostIds, model, arrivals, programs, isPlacedByChance = false, isolates, warmUpMs, endMs, death } = simulation
  const time = new VirtualTime()
  const begun: Begun[] = []
  const hosts = new Map(hostIds.map((id) => [id, new SimulatedHost(id, { time, model, begun: (run) => begun.push(run) })]))
  const placeable = hostIds.map((id) => ({ id, threads: model.threads }))
  for (const [n, program] of programs.entries()) {
    for (const { id } of rendezvousOrder(program, placeable).slice(0, 2)) hosts.get(id)?.prepare(n)
  }
  const underWay = new Map<string, SimulatedRun>()
  const counts = { arrived: 0, failed: 0, begunTwice: 0 }

  // What hosts say of themselves, as it stands in the database.
  const rows = new Map<string, { load: number; at: number }>()
  const list = async () =>
    [...rows].flatMap(([id, { load, at }]) => {
      const heard = hosts.get(id)?.heard(time.now - at)
      return heard ? [{ ...heard, load }] : []
    })
  for (const [i, host] of [...hosts.values()].entries()) {
    const beat = () => {
      if (!host.isAway) rows.set(host.id, { load: host.load, at: time.now })
      time.after(beatMs, beat)
    }
    rows.set(host.id, { load: 0, at: 0 })
    // Hosts that began at different times.
    time.after((beatMs * i) / hosts.size, beat)
  }

  const workers = Array.from({ length: isolates }, () => {
    const later = (work: Promise<unknown>) => void work.catch(() => {})
    const directory = new HostDirectory({ store: { list }, now: () => time.now, later })
    const connect = ({ id }: { id: string }) => {
      const host = hosts.get(id)
      if (!host) throw new Error(`there is no host ${id}`)
      // An execution that is under way has a run.
      const runOf = (execution: string) => underWay.get(execution) ?? { program: 0, serviceMs: 0, begun: 0 }
      return simulatedSandbox(host, { runOf, told: (load) => directory.told(id, load) })
    }
    return placedSandbox({ directory, connect, executions: { find: async () => undefined }, later })
  })

  async function execute(arrival: Arrival, n: number): Promise<void> {
    const id = numberedId(n)
    const run = { ...arrival, begun: 0 }
    underWay.set(id, run)
    try {
      await workers[n % isolates]?.run({
        ...executionFields,
        id,
        program: { kind: 'script', sha256: isPlacedByChance ? id : (programs[arrival.program] ?? '') },
      })
    } catch {
      counts.failed++
    } finally {
      underWay.delete(id)
      if (run.begun > 1) counts.begunTwice++
    }
  }

  // One is planned at a time: an hour of them need not be in memory.
  const coming = arrivals[Symbol.iterator]()
  const planNext = () => {
    const { value, done } = coming.next()
    if (done || value.atMs > endMs) return
    time.after(value.atMs - time.now, () => {
      void execute(value, counts.arrived++)
      planNext()
    })
  }
  planNext()
  if (death) {
    const host = hosts.get(hostIds[death.host] ?? '')
    time.after(death.atMs, () => host?.die())
    time.after(death.atMs + death.awayMs, () => {
      host?.comeBack()
      if (host) rows.set(host.id, { load: 0, at: time.now })
    })
  }
  await time.run(endMs)

  const counted = begun.filter(({ at }) => at >= warmUpMs)
  const busy = [...hosts.values()].map(({ busyMs }) => busyMs)
  const meanBusyMs = busy.reduce((a, b) => a + b, 0) / busy.length
  return {
    executions: counts.arrived,
    failed: counts.failed,
    begunTwice: counts.begunTwice,
    ...figuresOf(counted),
    imbalance: Math.max(...busy) / meanBusyMs,
    utilisation: meanBusyMs / endMs / model.threads,
    runs: Object.fromEntries([...hosts].map(([id, { runs }]) => [id, runs])),
    windows: death ? windowsAround(begun, death.atMs) : [],
  }
}

const executionFields = {
  agentId: '',
  accountId: '',
  version: 1,
  tier: 'basic',
  seed: 0,
  startTime: startTimeDefault,
  input: null,
} as const

function numberedId(n: number): string {
  return makeId('execution', { at: n, random: new Uint8Array(10) })
}

function figuresOf(begun: readonly Begun[]) {
  if (begun.length === 0) return { warmShare: 0, waitMsP50: 0, waitMsP90: 0, waitMsP99: 0, waitMsMax: 0 }
  const waits = Float64Array.from(begun, ({ waitMs }) => waitMs).toSorted()
  const at = (q: number) => waits[Math.max(0, Math.ceil(q * waits.length) - 1)] ?? 0
  const warmShare = begun.filter(({ isWarm }) => isWarm).length / begun.length
  return { warmShare, waitMsP50: at(0.5), waitMsP90: at(0.9), waitMsP99: at(0.99), waitMsMax: at(1) }
}

function windowsAround(begun: readonly Begun[], atMs: number) {
  return [-1, 0, 1, 2, 3, 4, 5].map((n) => {
    const fromMs = atMs + n * windowMs
    const within = begun.filter(({ at }) => at >= fromMs && at < fromMs + windowMs)
    const { warmShare, waitMsP99 } = figuresOf(within)
    return { fromMs: n * windowMs, executions: within.length, warmShare, waitMsP99 }
  })
}
