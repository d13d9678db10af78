import { expect, test } from 'vitest'
import { afterAttempt, attemptLeaseMs, attemptMsMax, attemptsMax, waitAfterMs } from '../../shared/webhook.ts'

const now = Date.parse('2026-11-23T12:00:00Z')
const refused = { answerStatus: 500, error: 'answered 500' }

test('the wait doubles from a second to four hours, and ends after eighteen attempts', () => {
  const waits = Array.from({ length: attemptsMax }, (_, i) => waitAfterMs(i + 1))
  expect(waits.slice(0, 5)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000])
  expect(waits.slice(13)).toEqual([8_192_000, 14_400_000, 14_400_000, 14_400_000, undefined])
  // 16.5 hours.
  expect(waits.reduce<number>((sum, wait) => sum + (wait ?? 0), 0)).toBe(59_583_000)
})

test('an attempt without an error delivers; one with an error is repeated until that was the last', () => {
  expect(afterAttempt({ answerStatus: 204, error: null }, { attempts: 1, now })).toEqual({ status: 'delivered', dueAt: null })
  expect(afterAttempt(refused, { attempts: 1, now })).toEqual({ status: 'pending', dueAt: now + 1_000 })
  expect(afterAttempt({ answerStatus: null, error: 'late' }, { attempts: 3, now })).toEqual({ status: 'pending', dueAt: now + 4_000 })
  expect(afterAttempt(refused, { attempts: attemptsMax - 1, now }).status).toBe('pending')
  expect(afterAttempt(refused, { attempts: attemptsMax, now })).toEqual({ status: 'failed', dueAt: null })
  expect(afterAttempt({ answerStatus: 204, error: null }, { attempts: attemptsMax, now }).status).toBe('delivered')
})

test('a receiver that is gone is asked no more', () => {
  expect(afterAttempt({ answerStatus: 410, error: 'answered 410' }, { attempts: 1, now })).toEqual({ status: 'failed', dueAt: null })
})

test('a lease outlives an attempt and the look-up before it', () => expect(attemptLeaseMs).toBeGreaterThanOrEqual(attemptMsMax + 5_000))
