// Loaded before a host in a storm (`node --import`): its clock is off by as many ms as CLOCK_FILE says. There is no such way in the host itself.
import { readFileSync } from 'node:fs'
import { moveClock } from './worker/shifted-date.ts'

const file = process.env['CLOCK_FILE'] ?? ''
const lookEveryMs = 50

function look(): void {
  let byMs = 0
  try {
    byMs = Number(readFileSync(file, 'utf8'))
  } catch {
    // Nothing has moved it yet.
  }
  moveClock(Number.isFinite(byMs) ? byMs : 0)
}

look()
setInterval(look, lookEveryMs).unref()
