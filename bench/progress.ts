// How far a run is and how long it will still take: a bar where there is a terminal, a line for each scenario where there is none. The
// estimate is what each scenario took the last time, and, within the one that is measured, its steps.
import { SingleBar } from 'cli-progress'
import type { BenchRun } from './scenario.ts'

export type Expected = { name: string; seconds: number | undefined }

export class Progress {
  readonly #expected: readonly Expected[]
  readonly #bar: SingleBar | undefined
  readonly #timer: NodeJS.Timeout | undefined
  #at = -1
  #steps = { planned: 0, begun: 0, what: '' }
  #began = performance.now()

  constructor(expected: readonly Expected[]) {
    this.#expected = expected
    if (!process.stdout.isTTY) return
    this.#bar = new SingleBar({ format: '{bar} {left} · {what}', barsize: 30, hideCursor: true, clearOnComplete: true, fps: 5 })
    this.#bar.start(1, 0, { left: '', what: '' })
    this.#timer = setInterval(() => this.#show(), 1_000).unref()
  }

  /** The next scenario begins; @returns what it is given. */
  begin(quick: boolean): BenchRun {
    this.#at++
    this.#began = performance.now()
    this.#steps = { planned: 0, begun: 0, what: '' }
    const { name = '' } = this.#expected[this.#at] ?? {}
    if (!this.#bar) console.log(`\n${name} (${this.#at + 1} of ${this.#expected.length}; ${this.#left()})`)
    this.#show()
    return {
      quick,
      plan: (planned) => {
        this.#steps = { planned, begun: 0, what: '' }
      },
      step: (what) => {
        this.#steps = { ...this.#steps, begun: this.#steps.begun + 1, what }
        this.#show()
      },
    }
  }

  /** Prints above the bar. */
  print(text: string): void {
    if (!this.#bar) return console.log(text)
    // The bar's line is wiped; its next update draws it below the text.
    process.stdout.write('\r\u001B[K')
    console.log(text)
    this.#show()
  }

  end(): void {
    clearInterval(this.#timer)
    this.#bar?.stop()
  }

  #show(): void {
    if (!this.#bar) return
    const { name = '' } = this.#expected[this.#at] ?? {}
    const { seconds, left } = this.#estimate()
    this.#bar.update(seconds + left > 0 ? seconds / (seconds + left) : 0, {
      left: this.#left(),
      what: `${name}${this.#steps.what ? `: ${this.#steps.what}` : ''}`,
    })
  }

  #left(): string {
    const { left, isWhole } = this.#estimate()
    if (left === 0 && !isWhole) return 'no estimate yet'
    return `${isWhole ? 'about' : 'at least'} ${showSeconds(left)} left`
  }

  /** `isWhole` is false while a scenario is ahead that nothing is known about. */
  #estimate(): { seconds: number; left: number; isWhole: boolean } {
    const elapsed = (performance.now() - this.#began) / 1e3
    const before = this.#expected.slice(0, Math.max(0, this.#at))
    const after = this.#expected.slice(this.#at + 1)
    const now = secondsLeft({ elapsed, expected: this.#expected[this.#at]?.seconds, ...this.#steps })
    const sum = (all: readonly Expected[]) => all.reduce((total, { seconds = 0 }) => total + seconds, 0)
    return {
      seconds: sum(before) + elapsed,
      left: (now ?? 0) + sum(after),
      isWhole: now !== undefined && after.every(({ seconds }) => seconds !== undefined),
    }
  }
}

type Running = { elapsed: number; expected: number | undefined; planned: number; begun: number }

/** Steps that are behind say more than the last time does, which may have been on another machine. */
export function secondsLeft({ elapsed, expected, planned, begun }: Running): number | undefined {
  const done = begun - 1
  if (planned > 0 && done >= planned * 0.2) return Math.max(0, (elapsed / done) * (planned - done))
  return expected === undefined ? undefined : Math.max(0, expected - elapsed)
}

export function showSeconds(seconds: number): string {
  const whole = Math.round(seconds)
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`
}
