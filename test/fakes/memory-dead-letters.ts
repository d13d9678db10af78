// Dead letters over a map. Whatever ends work as failed leaves one, as the triggers of Postgres do.
import { refusedMessagesMax, type DeadLetter } from '../../shared/dead-letter.ts'
import type { DeadLetterStore } from '../../shared/dead-letter-ports.ts'
import { idOf } from './id-of.ts'
import { isAny, listed } from './listed.ts'

type Left = Pick<DeadLetter, 'accountId' | 'agentId' | 'version' | 'reason' | 'attempts' | 'createdAt'>
export type MemoryDeadLetters = {
  store: DeadLetterStore
  leave: (work: Left & ({ submissionId: string; round: number } | { executionId: string })) => void
}

export function memoryDeadLetters(): MemoryDeadLetters {
  const letters = new Map<string, DeadLetter & { origin: string; announcedAt: string | null }>()
  const own = (id: string, accountId: string | undefined) => {
    const found = letters.get(id)
    return found && isAny(accountId, found.accountId ?? undefined) ? found : undefined
  }
  function keep(origin: string, letter: DeadLetter): void {
    if ([...letters.values()].some((kept) => kept.origin === origin)) return
    letters.set(letter.id, { ...letter, origin, announcedAt: null })
  }
  const none = { submissionId: null, executionId: null, message: null, replayedAs: null }

  return {
    leave({ accountId, agentId, version, reason, attempts, createdAt, ...of }) {
      const left = { ...none, id: idOf('deadLetter'), accountId, agentId, version, reason, attempts, createdAt }
      if ('executionId' in of) keep(of.executionId, { ...left, kind: 'execution', executionId: of.executionId })
      else keep(`${of.submissionId} ${of.round}`, { ...left, kind: 'submission', submissionId: of.submissionId })
    },
    store: {
      async list({ accountId, kind, agentId, ...cut }) {
        const { items } = listed([...letters.values()], cut, (letter) => {
          return isAny(accountId, letter.accountId ?? '') && isAny(kind, letter.kind) && isAny(agentId, letter.agentId ?? '')
        })
        return { items: items.map(shown) }
      },
      async find(id, accountId) {
        const found = own(id, accountId)
        return found && shown(found)
      },
      async remove(id, accountId) {
        return own(id, accountId) !== undefined && letters.delete(id)
      },
      async replay(id, { from, to }) {
        const found = letters.get(id)
        if (found?.replayedAs !== from) return false
        found.replayedAs = to
        return true
      },
      async keepRefused({ host, detail, sha256, ...message }, { id, at }) {
        const { topic, partition, offset, refusal } = message
        if ([...letters.values()].filter(({ kind }) => kind === 'message').length >= refusedMessagesMax) return
        const reason = `${refusal}: ${detail}; refused by ${host}`.slice(0, 1_000)
        const nobody = { accountId: null, agentId: null, version: null, attempts: [] }
        keep(`${topic} ${partition} ${offset} ${sha256}`, { ...none, ...nobody, id, kind: 'message', reason, message, createdAt: at })
      },
      async unannounced(limit) {
        const waiting = [...letters.values()].filter(({ announcedAt }) => announcedAt === null)
        return waiting
          .toSorted((a, b) => (a.id < b.id ? -1 : 1))
          .slice(0, limit)
          .map(shown)
      },
      async announced(ids, at) {
        for (const id of ids) {
          const found = letters.get(id)
          if (found) found.announcedAt = at
        }
      },
      async forgetOld({ before, limit }) {
        const old = [...letters.values()].filter(({ createdAt }) => createdAt < before).slice(0, limit)
        for (const { id } of old) letters.delete(id)
        return old.length
      },
    },
  }
}

function shown({
  origin: _origin,
  announcedAt: _announced,
  ...letter
}: DeadLetter & { origin: string; announcedAt: string | null }): DeadLetter {
  return letter
}
