// Counts the requests that do work, so that shutdown can refuse new ones and wait for those under way.
import { ProblemError } from '../shared/problem.ts'
import type { Gate } from './server.ts'

export class DrainGate implements Gate {
  isDraining = false
  #underWay = 0
  readonly #onWork: () => void
  #whenIdle: (() => void) | undefined

  /** @param onWork called when a request enters */
  constructor(onWork: () => void = () => {}) {
    this.#onWork = onWork
  }

  get underWay(): number {
    return this.#underWay
  }

  /** @throws ProblemError `draining` */
  enter(): void {
    if (this.isDraining) throw new ProblemError('draining', { detail: 'the host takes no more work', retryAfterSeconds: 2 })
    this.#underWay++
    this.#onWork()
  }

  leave(): void {
    this.#underWay--
    if (this.#underWay === 0) this.#whenIdle?.()
  }

  /** Refuses from now on. @returns false when `ms` passed before the last request had left */
  drain(ms: number): Promise<boolean> {
    this.isDraining = true
    if (this.#underWay === 0) return Promise.resolve(true)
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms, false)
      this.#whenIdle = () => {
        clearTimeout(timer)
        resolve(true)
      }
    })
  }
}
