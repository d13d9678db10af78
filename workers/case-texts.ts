// Inputs and expectations as the JSON text that is kept of them, and whether they are too large.
import type { ProblemIssue } from '../shared/problem.ts'
import { limits } from '../shared/tiers.ts'
import { invalidRequest } from './request-issues.ts'

const issuesMax = 20

export class CaseTexts {
  readonly #encoder = new TextEncoder()
  readonly #issues: ProblemIssue[] = []
  /** Of all that were given. */
  bytesTotal = 0

  /** @param field of the request that it stands in */
  input(value: unknown, field: string): string {
    return this.#text(value, { field, bytesMax: limits.inputBytesMax })
  }

  expected(value: unknown, field: string): string {
    return this.#text(value, { field, bytesMax: limits.expectedBytesMax })
  }

  /** @throws ProblemError `invalid-request` naming those that are too large */
  requireBounded(): void {
    if (this.#issues.length > 0) throw invalidRequest(this.#issues)
  }

  #text(value: unknown, { field, bytesMax }: { field: string; bytesMax: number }): string {
    const text = JSON.stringify(value)
    const bytes = this.#encoder.encode(text).length
    this.bytesTotal += bytes
    if (bytes > bytesMax && this.#issues.length < issuesMax)
      this.#issues.push({ field, message: `is ${bytes} bytes of JSON; at most ${bytesMax} are allowed` })
    return text
  }
}
