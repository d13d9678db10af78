// Tells of dead letters on their topic, where there is one, and forgets what is old. Fired by the cron; may run twice at once and break off
// anywhere: a letter may be told twice, and is told at least once.
import { deadLettersKeptMs } from '../../shared/dead-letter.ts'
import type { Services } from '../services.ts'

const announcedAtOnceMax = 200
const forgottenAtOnceMax = 500

export async function sweepDeadLetters(services: Services): Promise<void> {
  const { deadLetters, eventLog, log, now } = services
  if (eventLog.announce) {
    const letters = await deadLetters.unannounced(announcedAtOnceMax)
    if (letters.length > 0) {
      await eventLog.announce(letters.map((letter) => ({ topic: 'dead-letters', letter })))
      await deadLetters.announced(
        letters.map(({ id }) => id),
        new Date(now()).toISOString(),
      )
    }
  }
  const before = new Date(now() - deadLettersKeptMs).toISOString()
  const forgotten = await deadLetters.forgetOld({ before, limit: forgottenAtOnceMax })
  if (forgotten > 0) log.info('old dead letters forgotten', { count: forgotten })
}
