// What the host counts, for Prometheus. The code that counts calls methods with domain words; names and labels are decided here.
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'
import { guestStatuses, verdictStatuses } from '../shared/execution.ts'
import type { GuestStatus, VerdictStatus } from '../shared/execution.ts'
import { refusalReasons } from './admission-limits.ts'
import type { RefusalReason } from './admission-limits.ts'
import { runClasses } from './admission.ts'
import type { AdmissionObserver, RunClass } from './admission.ts'

/** Gauges that are read when somebody asks: name to value, and what it means. */
export type GaugeSource = { prefix: string; help: string; read: () => Record<string, number> }

export class Metrics implements AdmissionObserver {
  readonly #registry = new Registry()
  readonly #executions
  readonly #durations
  readonly #starts
  readonly #verdicts
  readonly #programs
  readonly #uploads
  readonly #uploadedBytes
  readonly #batches
  readonly #delivered
  readonly #refusals
  readonly #waits
  readonly #turnedAway
  readonly #canaryRuns
  readonly #canaryDifferences
  readonly #canaryDropped

  /** @param host label of every sample */
  constructor(host: string) {
    this.#registry.setDefaultLabels({ host })
    const registers = [this.#registry]
    collectDefaultMetrics({ register: this.#registry })
    const executions = new Counter({ name: 'host_executions_total', help: 'Executions by status', labelNames: ['status'], registers })
    // Resolved once: a label look-up per execution is the dearer half of counting.
    this.#executions = new Map(guestStatuses.map((status) => [status, executions.labels(status)]))
    this.#durations = new Histogram({
      name: 'host_execution_seconds',
      help: 'From claim of an instance to result, queueing excluded',
      buckets: [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.01, 0.05, 0.25, 1, 5, 15, 60],
      registers,
    })
    const starts = new Histogram({
      name: 'host_start_seconds',
      help: 'From claim to the first instruction of the guest; cold: until the program is loaded',
      labelNames: ['state'],
      buckets: [0.000001, 0.000003, 0.00001, 0.00002, 0.00005, 0.0001, 0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10],
      registers,
    })
    this.#starts = { cold: starts.labels('cold'), loaded: starts.labels('loaded'), pooled: starts.labels('pooled') }
    const verdicts = new Counter({ name: 'host_verdicts_total', help: 'Judged cases by verdict', labelNames: ['status'], registers })
    this.#verdicts = new Map(verdictStatuses.map((status) => [status, verdicts.labels(status)]))
    this.#programs = new Counter({
      name: 'host_program_lookups_total',
      help: 'Look-ups of loaded programs by result',
      labelNames: ['result'],
      registers,
    })
    this.#uploads = new Counter({ name: 'host_uploads_total', help: 'Bundles by result', labelNames: ['result'], registers })
    this.#uploadedBytes = new Counter({ name: 'host_uploaded_bytes_total', help: 'Bytes of bundles stored', registers })
    this.#batches = new Counter({
      name: 'host_outcome_batches_total',
      help: 'Batches to the Worker by result',
      labelNames: ['result'],
      registers,
    })
    this.#delivered = new Counter({ name: 'host_outcomes_acknowledged_total', help: 'Executions acknowledged by the Worker', registers })
    this.#refusals = new Counter({
      name: 'host_refusals_total',
      help: 'Requests answered with a problem, by code',
      labelNames: ['code'],
      registers,
    })
    const waits = new Histogram({
      name: 'host_admission_wait_seconds',
      help: 'From request to beginning of a run, by class',
      labelNames: ['class'],
      buckets: [0.0001, 0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 30],
      registers,
    })
    this.#waits = new Map(runClasses.map((runClass) => [runClass, waits.labels(runClass)]))
    const turnedAway = new Counter({
      name: 'host_admission_refused_total',
      help: 'Runs that were not begun, by reason',
      labelNames: ['reason'],
      registers,
    })
    this.#canaryRuns = new Counter({
      name: 'host_script_canary_runs_total',
      help: 'Executions of compiled scripts that were run again interpreted, and compared',
      registers,
    })
    this.#canaryDifferences = new Counter({
      name: 'host_script_canary_differences_total',
      help: 'Those of them that did something else; each is a fault of the compiler',
      registers,
    })
    this.#canaryDropped = new Counter({
      name: 'host_script_canary_dropped_total',
      help: 'Samples that were not compared, for want of an idle thread or because a limit ended a run',
      registers,
    })
    this.#turnedAway = new Map(refusalReasons.map((reason) => [reason, turnedAway.labels(reason)]))
  }

  began(runClass: RunClass, waitMs: number): void {
    this.#waits.get(runClass)?.observe(waitMs / 1_000)
  }

  turnedAway(reason: RefusalReason): void {
    this.#turnedAway.get(reason)?.inc()
  }

  canary(result: 'same' | 'different' | 'dropped'): void {
    if (result === 'dropped') this.#canaryDropped.inc()
    else this.#canaryRuns.inc()
    if (result === 'different') this.#canaryDifferences.inc()
  }

  executed(status: GuestStatus, seconds: number): void {
    this.#executions.get(status)?.inc()
    this.#durations.observe(seconds)
  }

  started(state: 'cold' | 'loaded' | 'pooled', seconds: number): void {
    this.#starts[state].observe(seconds)
  }

  judged(status: VerdictStatus): void {
    this.#verdicts.get(status)?.inc()
  }

  programs(result: 'hit' | 'miss' | 'eviction' | 'invalid'): void {
    this.#programs.inc({ result })
  }

  uploads(result: 'stored' | 'failed', bytes: number): void {
    this.#uploads.inc({ result })
    this.#uploadedBytes.inc(bytes)
  }

  outcomeBatches(result: 'acknowledged' | 'failed', records: number): void {
    this.#batches.inc({ result })
    this.#delivered.inc(records)
  }

  refused(code: string): void {
    this.#refusals.inc({ code })
  }

  /** Adds one gauge per name that `read` gives now; read again at every scrape. */
  addGauges({ prefix, help, read }: GaugeSource): void {
    for (const name of Object.keys(read())) {
      const gauge: Gauge = new Gauge({
        name: `${prefix}_${snakeCase(name)}`,
        help: `${help}: ${name}`,
        registers: [this.#registry],
        collect: () => gauge.set(read()[name] ?? 0),
      })
    }
  }

  text(): Promise<string> {
    return this.#registry.metrics()
  }
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
