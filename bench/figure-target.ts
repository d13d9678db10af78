// What a figure has to reach, as it is written beside it.
import type { Figure } from './scenario.ts'

/** As a figure of a scenario has them, or as they are read from a result. */
type Wish = { target?: string | undefined; better?: Figure['better'] | undefined }

const form = /^(>=|<=|<|>|\+-)?\s*(-?[\d,.]+)/

/** @returns undefined without a target */
export function isReached({ value, target }: Wish & { value: number | null }): boolean | undefined {
  const [, sign = '', text = ''] = form.exec(target ?? '') ?? []
  if (text === '') return undefined
  if (value === null || Number.isNaN(value)) return false
  const bound = Number(text.replaceAll(',', ''))
  switch (sign) {
    case '>=':
      return value >= bound
    case '>':
      return value > bound
    case '<=':
      return value <= bound
    case '<':
      return value < bound
    case '+-':
      return Math.abs(value) <= bound
    default:
      return value === bound
  }
}

/** Which way is better; undefined when nobody said. */
export function betterOf({ better, target }: Wish): Figure['better'] {
  if (better) return better
  const [, sign] = form.exec(target ?? '') ?? []
  if (sign === undefined) return target === '0' ? 'less' : undefined
  return sign.startsWith('>') ? 'more' : 'less'
}
