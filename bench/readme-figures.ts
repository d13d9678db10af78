// The README's figures, from the results that are kept. A row whose scenario has not run, or has another shape, is left out.
import type { BenchResult } from './result-files.ts'
import { showNumber, textTable } from './text-table.ts'

type Row = { what: string; scenario: string; here: (figure: Look) => string; beside: (figure: Look) => string }
/** @returns the figure as it is shown; throws where there is none */
type Look = (name: string) => string

const none = () => '–'
const rows: Row[] = [
  {
    what: 'no-op WASI command, instance + run + teardown',
    scenario: 'engine',
    here: (figure) =>
      `${figure('no-op command, loaded, concurrency 1: p50, µs')} µs (pooled ${figure('no-op command, pooled, concurrency 1: p50, µs')})`,
    beside: (figure) => `raw Wasmtime doing the same: ${figure('no-op command, loaded: times the cost of raw Wasmtime')} times faster`,
  },
  {
    what: 'no-op script, the same',
    scenario: 'engine',
    here: (figure) =>
      `${figure('no-op script, loaded, concurrency 1: p50, µs')} µs (pooled ${figure('no-op script, pooled, concurrency 1: p50, µs')})`,
    beside: none,
  },
  {
    what: "claim to first guest instruction, script: pooled / loaded / cold from the host's volume",
    scenario: 'pool',
    here: (figure) =>
      `${figure('script: pooled, claim to first instruction, µs')} µs / ${figure('script: loaded, claim to first instruction, µs')} µs / ${figure('script: cold from the local store to first instruction, p50, ms')} ms`,
    beside: () => 'promised: 2 ms warm, 45 ms cold',
  },
  {
    what: 'script executions per second in process, all cores',
    scenario: 'engine',
    here: (figure) => figure('no-op script: runs per second, both cores'),
    beside: none,
  },
  {
    what: 'start of an isolated script',
    scenario: 'sandbox',
    here: (figure) => `${figure('workloads, start: times faster, script')} times faster`,
    beside: () => 'quickjs-emscripten, a module each',
  },
  {
    what: 'five workloads, start + run, geometric mean: script / command compiled from C',
    scenario: 'sandbox',
    here: (figure) =>
      `${figure('workloads, start + run: times faster, script')} / ${figure('workloads, start + run: times faster, command (C)')} times faster`,
    beside: () => 'the same; promised: 3',
  },
  {
    what: 'five workloads, run only, all limits on',
    scenario: 'sandbox',
    here: (figure) => `${figure('workloads, run: times faster than shared quickjs-emscripten, script')} of its speed`,
    beside: () => 'quickjs-emscripten on V8, without limits',
  },
  {
    what: 'npm libraries and Octane programs that nobody tuned for, start + run',
    scenario: 'sandbox',
    here: (figure) => `${figure('other programs, start + run: times faster, script')} times faster`,
    beside: () => 'quickjs-emscripten, a module each',
  },
  {
    what: '1,000 loaded script agents',
    scenario: 'pool',
    here: (figure) => `${figure('1000 loaded script agents: bytes held, MiB')} MiB`,
    beside: none,
  },
  {
    what: 'memory over a million executions',
    scenario: 'soak',
    here: (figure) => `${figure('growth of the process over executions 100000 to 1000000, MiB')} MiB`,
    beside: none,
  },
  {
    what: 'lists of bounties, agents, leaderboard over HTTP, 50 connections',
    scenario: 'api',
    here: (figure) => `${['bounties', 'agents', 'leaderboard'].map((list) => figure(`${list}: requests per second`)).join(' / ')} /s`,
    beside: (figure) =>
      `Express with pg: ${['bounties', 'agents', 'leaderboard'].map((list) => figure(`express: ${list}: requests per second`)).join(' / ')} /s`,
  },
  {
    what: 'signed script execution over HTTP, journaled, with receipt, 50 connections, through the Worker',
    scenario: 'api',
    here: (figure) => `${figure('execution: requests per second')} /s, p99 ${figure('execution: p99, ms')} ms`,
    beside: () => 'promised: 850 /s, 180 ms',
  },
  {
    what: 'ten minutes of a mix of requests, 20 connections: per second, p99, errors, growth of memory',
    scenario: 'sustained',
    here: (figure) =>
      `${figure('requests per second')} /s, ${figure('p99, ms')} ms, ${figure('failed requests')}, ${figure('growth of our processes after warm-up, MiB')} MiB`,
    beside: () => 'promised: 2,000 /s, 22 ms, 0, < 50 MiB',
  },
  {
    what: '`npm start`, second time',
    scenario: 'start',
    here: (figure) => `${figure('npm start to ready, second time, s')} s`,
    beside: none,
  },
]

export function readmeFigures(results: readonly BenchResult[]): string {
  const shown = rows.flatMap(({ what, scenario, here, beside }) => {
    const result = results.find((each) => each.scenario === scenario)
    const look: Look = (name) => {
      const figure = result?.figures.find((each) => each.name === name)
      if (!figure) throw new MissingFigure(name)
      return showNumber(figure.value)
    }
    try {
      return [[what, here(look), beside(look)]]
    } catch (error) {
      if (error instanceof MissingFigure) return []
      throw error
    }
  })
  return textTable(['', 'here', 'beside'], shown)
}

class MissingFigure extends Error {}
