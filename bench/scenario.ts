// What a scenario is: a function that measures and answers with figures, raw samples and, where they help, tables and charts. It prints
// and writes nothing itself; `run.ts` shows, keeps and renders what it answers.

/** One line of a result table. Units stand in the name. */
export type Figure = {
  name: string
  value: number
  /** `>= 4,000`, `<= 5`, `< 3`, `0`, `+- 5`: what it must reach. */
  target?: string
  /** What `value` is the middle of, one a round; with three or more in both, `compare` gives intervals. */
  samples?: readonly number[]
  /** Told from `target` where there is one. */
  better?: 'less' | 'more'
}

export type Cell = string | number | null
export type Table = { title: string; columns: string[]; rows: Cell[][]; note?: string }

export type Axis = { title: string; scale?: 'linear' | 'log' }
/** `low` and `high`: an interval around `y`. */
export type Point = { series: string; x: number | string; y: number; low?: number; high?: number }
/** Lines over numbers, bars over names. `name` is that of its file. */
export type Chart = { name: string; title: string; kind: 'lines' | 'bars'; x: Axis; y: Axis; points: Point[] }

export type ScenarioResult = { figures: Figure[]; raw: unknown; tables?: Table[]; charts?: Chart[] }

/** What a scenario is given. It may do without. */
export type BenchRun = {
  /** A sanity run of some 20 seconds: fewer and shorter rounds, the same things measured. */
  quick: boolean
  /** Says how many steps of about the same length there will be. */
  plan(steps: number): void
  /** A step begins. */
  step(what: string): void
}

export type Scenario = (run: BenchRun) => Promise<ScenarioResult>
