// A submission as memory-submissions.ts keeps it, its place on a leaderboard, and what of it is seen.
import type { DeadLetterAttempt } from '../../shared/dead-letter.ts'
import type { RevisedVerdict } from '../../shared/judging.ts'
import type { Submission } from '../../shared/submission.ts'

export type EngineVerdict = RevisedVerdict & { engine: string }

export type Kept = Omit<Submission, 'verdicts'> & {
  verdicts: EngineVerdict[]
  stopAtFirstFailure: boolean
  turn: number
  dueAt: string | null
  attempts: number
  waits: number
  waitingSince: string | null
  beganAt: string | null
  host: string | null
  history: DeadLetterAttempt[]
}

export type Rank = Kept & { enginePlace: number }

export function seen({
  verdicts: _verdicts,
  stopAtFirstFailure: _stop,
  turn: _turn,
  dueAt: _dueAt,
  attempts: _attempts,
  waits: _waits,
  waitingSince: _since,
  beganAt: _beganAt,
  host: _host,
  history: _history,
  ...submission
}: Kept): Omit<Submission, 'verdicts'> {
  return submission
}
