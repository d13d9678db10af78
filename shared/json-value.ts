// Any JSON value, as a field of a request or an answer. What arrives was parsed from JSON already, so checking it again, value by value,
// would cost time that grows with the input, and a stack that grows with its depth.
import { z } from 'zod'

/** Containers within containers that a body may have: far above real data, far below what recursive code survives. */
export const jsonDepthMax = 200

/** Present, whatever it is; null is a value. */
export const jsonValueSchema = z.unknown().refine((value) => value !== undefined, 'must be given; any JSON value is allowed')

// Character codes of " \ { } [ ]
const quote = 34
const backslash = 92
const openBrace = 123
const closeBrace = 125
const openBracket = 91
const closeBracket = 93

/** @returns whether the text nests deeper than `jsonDepthMax`; brackets inside strings do not count */
export function nestsTooDeep(text: string): boolean {
  // Each level needs an opening and a closing bracket.
  if (text.length <= 2 * jsonDepthMax) return false
  let depth = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (inString) {
      if (code === backslash) i++
      else if (code === quote) inString = false
    } else if (code === quote) inString = true
    else if (code === openBrace || code === openBracket) {
      if (++depth > jsonDepthMax) return true
    } else if (code === closeBrace || code === closeBracket) depth--
  }
  return false
}
