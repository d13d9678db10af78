// Orders of submissions and of accounts, as leaderboards and awards have them.
import type { AccountPlace } from '../../shared/ports.ts'
import type { Submission } from '../../shared/submission.ts'

type Aged = Pick<Submission, 'createdAt' | 'id'>

export function byAge(a: Aged, b: Aged): number {
  return a.createdAt + a.id < b.createdAt + b.id ? -1 : Number(a.id !== b.id)
}

export function byAccountPlace(a: AccountPlace, b: AccountPlace): number {
  const difference = b.creditsWon - a.creditsWon || b.bountiesWon - a.bountiesWon || b.casesPassed - a.casesPassed
  return difference || (a.accountId < b.accountId ? -1 : Number(a.accountId > b.accountId))
}

type Scored = Pick<Submission, 'casesPassed' | 'fuelTotal'> & { enginePlace: number }
type Placed = Scored & Pick<Submission, 'finishedAt' | 'id'>

export function byScore(a: Scored, b: Scored): number {
  const [fuelA, fuelB] = [a.fuelTotal ?? Number.MAX_SAFE_INTEGER, b.fuelTotal ?? Number.MAX_SAFE_INTEGER]
  return b.casesPassed - a.casesPassed || a.enginePlace - b.enginePlace || fuelA - fuelB
}

export function byPlace(a: Placed, b: Placed): number {
  const [textA, textB] = [`${a.finishedAt} ${a.id}`, `${b.finishedAt} ${b.id}`]
  return byScore(a, b) || (textA < textB ? -1 : Number(textA > textB))
}
