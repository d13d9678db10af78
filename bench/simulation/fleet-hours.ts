// Some minutes of a million executions an hour on 1, 10 and 100 hosts: how much of it is warm, how long it waits, how even it is, and what the death of a host does.
import { createHash } from 'node:crypto'
import { plannedArrivals } from './arrivals.ts'
import { simulate, type SimulationResult } from './simulate.ts'
import type { HostModel } from './simulated-host.ts'

export type FleetRun = {
  name: string
  hosts: number
  perHour: number
  minutes: number
  placement: 'rendezvous' | 'chance'
  result: SimulationResult
}

const seed = 20_261_125
const minuteMs = 60_000
const programCount = 20_000
/** Heavy enough that one host is busy with a million an hour, and that a few programs take much of all. */
const serviceMsMean = 4
const serviceSigma = 1
const million = 1_000_000

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

/** A script that a host has never seen, and one that it has on its disk: medians of bench/results/states.json, rounded up. Fixed, so that a seed repeats all. */
const costs: Pick<HostModel, 'compileMs' | 'loadMs'> = { compileMs: 25, loadMs: 1 }

export async function fleetHours(report: (name: string) => void): Promise<FleetRun[]> {
  // A host of two threads with 512 MiB for loaded scripts of 137 KiB (bench/results/states.json) holds some 3,000.
  const model: HostModel = { threads: 2, queueMax: 1_024, programsMax: 3_000, ...costs }
  const programs = Array.from({ length: programCount }, (_, n) => sha256(`program ${n}`))

  async function run({ hosts, perHour = million, placement = 'rendezvous', minutes }: Wanted): Promise<FleetRun> {
    const name = `${hosts} ${hosts === 1 ? 'host' : 'hosts'}, ${(perHour / million).toLocaleString('en')} M/h, by ${placement}`
    report(name)
    const endMs = minutes * minuteMs
    const result = await simulate({
      hostIds: Array.from({ length: hosts }, (_, i) => `fly-${sha256(`host ${i}`).slice(0, 8)}`),
      model,
      arrivals: plannedArrivals({ seed, perSecond: perHour / 3_600, endMs, programs: programCount, serviceMsMean, serviceSigma }),
      programs,
      isPlacedByChance: placement === 'chance',
      isolates: 20,
      warmUpMs: endMs / 3,
      endMs,
      ...(hosts > 1 && placement === 'rendezvous' && minutes >= 1 ? { death: { atMs: (endMs * 2) / 3, host: 0, awayMs: 20_000 } } : {}),
    })
    return { name, hosts, perHour, minutes, placement, result }
  }

  const runs: FleetRun[] = []
  const wanted: Wanted[] = [
    { hosts: 1, minutes: 10 },
    { hosts: 10, minutes: 10 },
    { hosts: 10, placement: 'chance', minutes: 3 },
    { hosts: 100, minutes: 3 },
    { hosts: 100, placement: 'chance', minutes: 2 },
    // As busy, each, as the one host.
    { hosts: 10, perHour: 10 * million, minutes: 1 },
    { hosts: 100, perHour: 100 * million, minutes: 0.1 },
  ]
  for (const one of wanted) runs.push(await run(one))
  return runs
}

type Wanted = { hosts: number; perHour?: number; placement?: FleetRun['placement']; minutes: number }
