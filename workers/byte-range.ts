// The Range header, as far as artifacts need it: one range of bytes. What is no such range is ignored and the whole is sent, as RFC 9110
// (section 14.2) allows; a range that begins behind the end is refused.
import { ProblemError } from '../shared/problem.ts'
import type { ByteRange } from '../shared/ports.ts'

/** @returns undefined for the whole. Throws ProblemError `range-not-satisfiable`. */
export function parseRange(header: string | undefined, bytes: number): ByteRange | undefined {
  const [, first = '', last = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '') ?? []
  if (first === '' && last === '') return undefined
  if (first === '') {
    const length = Math.min(Number(last), bytes)
    if (length === 0) throw unsatisfiable(header, bytes)
    return { offset: bytes - length, length }
  }
  const offset = Number(first)
  if (last !== '' && Number(last) < offset) return undefined
  if (offset >= bytes) throw unsatisfiable(header, bytes)
  const end = last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1)
  return { offset, length: end - offset + 1 }
}

function unsatisfiable(header: string | undefined, bytes: number): ProblemError {
  return new ProblemError('range-not-satisfiable', {
    detail: `the header Range is ${JSON.stringify(header)}; the artifact has ${bytes} bytes, counted from 0`,
    headers: { 'content-range': `bytes */${bytes}` },
  })
}
