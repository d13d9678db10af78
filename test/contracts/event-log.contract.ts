// What an event log promises, whatever carries the messages: each arrives, whole, at least once, and not before its time.
import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { EventMessage } from '../../shared/event-log.ts'
import type { EventLog } from '../../shared/event-log-port.ts'
import { eventually } from '../fakes/eventually.ts'
import { idOf } from '../fakes/id-of.ts'

/** `arrived` are the bodies of all messages so far, as the consumer was given them. */
export type OpenEventLog = () => Promise<{ log: EventLog; arrived: () => Promise<unknown[]> }>

export function eventLogContract(name: string, open: OpenEventLog): void {
  const turn = () => 1 + (randomBytes(1)[0] ?? 0)
  const message = (_: unknown, i: number): EventMessage =>
    i % 2 === 0
      ? { topic: 'judgings', submissionId: idOf('submission'), turn: turn() }
      : { topic: 'executions', executionId: idOf('execution'), turn: turn() }

  describe(`${name} carries messages as the port promises`, () => {
    test.each([[0], [1], [250]])('%i at once', async (count) => {
      const { log, arrived } = await open()
      const sent = Array.from({ length: count }, message)
      await log.publish(sent)
      const found = async () => {
        const all = (await arrived()).map((body) => JSON.stringify(body))
        return sent.filter((one) => all.includes(JSON.stringify(one))).length
      }
      await eventually(found, count, { withinMs: 20_000 })
    })

    test('one that is held back, until then', async () => {
      const { log, arrived } = await open()
      const sent = message(undefined, 1)
      const publishedAt = performance.now()
      await log.publish([sent], { delaySeconds: 1 })
      await eventually(async () => JSON.stringify(await arrived()).includes(JSON.stringify(sent).slice(1, -1)), true, { withinMs: 20_000 })
      // Clocks of two processes may be a few ms apart.
      expect(performance.now() - publishedAt).toBeGreaterThan(950)
    })

    test('none that is larger than 64 KiB', async () => {
      const { log } = await open()
      const large = { topic: 'judgings', submissionId: 'x'.repeat(64 * 1024), turn: 1 } as const
      await expect(log.publish([large])).rejects.toThrow(/at most 65536 are allowed/)
    })

    test('and says that it is there', async () => {
      await expect((await open()).log.ping()).resolves.toBeUndefined()
    })
  })
}
