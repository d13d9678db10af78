// Money: what is held adds up to what was minted, each entry and balance follows from the transfers, no bounty pays out twice, and every
// acknowledged mint is there once. Summed here from the rows, whatever the database's own triggers say.
import { deedsOf, idOf, type Deed } from './deed.ts'
import type { Finding } from './finding.ts'
import type { Held } from './held.ts'

export function checkLedger(deeds: readonly Deed[], held: Held): Finding[] {
  return [...checkMints(deeds, held), ...checkSums(held), ...checkEscrows(held)]
}

function checkMints(deeds: readonly Deed[], { transfers }: Held): Finding[] {
  const byReason = Map.groupBy(
    transfers.filter(({ kind }) => kind === 'mint'),
    ({ reason }) => reason ?? '',
  )
  return deedsOf(deeds, 'mint').flatMap((deed): Finding[] => {
    const { accountId, credits, reason } = deed.aim
    const made = byReason.get(reason) ?? []
    if (made.length > 1) return [{ kind: 'doubled', what: `mint under the key ${deed.key}`, ids: made.map(({ id }) => id) }]
    const id = idOf(deed)
    const [transfer] = made
    if (id !== undefined && transfer?.id !== id) return [{ kind: 'lost', what: 'acknowledged mint', ids: [id] }]
    if (transfer && (transfer.toId !== accountId || transfer.credits !== credits)) {
      return [{ kind: 'wrong', what: 'mint differs from its request', ids: [transfer.id] }]
    }
    return []
  })
}

function checkSums({ holders, transfers, entries }: Held): Finding[] {
  const balances = new Map<string, number>()
  const add = (id: string, credits: number) => balances.set(id, (balances.get(id) ?? 0) + credits)
  for (const { fromId, toId, credits } of transfers) {
    add(fromId, -credits)
    add(toId, credits)
  }
  const found: Finding[] = []
  for (const { id, balance } of holders) {
    const due = balances.get(id) ?? 0
    if (balance !== due) found.push({ kind: 'wrong', what: `balance is ${balance}, transfers say ${due}`, ids: [id] })
    if (balance < 0 && id !== 'mint') found.push({ kind: 'wrong', what: `balance is ${balance}`, ids: [id] })
  }
  const sum = holders.reduce((total, { balance }) => total + balance, 0)
  if (sum !== 0) found.push({ kind: 'wrong', what: `balances and escrows are ${sum} beside what was minted`, ids: ['mint'] })

  const entriesOf = Map.groupBy(entries, ({ transferId }) => transferId)
  for (const { id, fromId, toId, credits } of transfers) {
    const written = (entriesOf.get(id) ?? []).map((entry) => `${entry.holderId} ${entry.credits}`)
    const due = [`${fromId} ${-credits}`, `${toId} ${credits}`]
    if (written.length !== 2 || !due.every((entry) => written.includes(entry))) {
      found.push({ kind: 'wrong', what: `entries of a transfer are ${written.join(', ')}`, ids: [id] })
    }
  }
  return found
}

/** An open bounty holds its reward, a closed one has paid it out once, to whom it is due. */
function checkEscrows({ bounties, submissions, holders, transfers }: Held): Finding[] {
  const balanceOf = new Map(holders.map(({ id, balance }) => [id, balance]))
  const authorOf = new Map(submissions.map(({ id, accountId }) => [id, accountId]))
  const paid = Map.groupBy(
    transfers.filter(({ kind }) => kind === 'award' || kind === 'refund'),
    ({ subject }) => subject,
  )
  return bounties.flatMap(({ id, accountId, status, rewardCredits, awardedSubmissionId }): Finding[] => {
    const payments = paid.get(id) ?? []
    if (payments.length > 1) return [{ kind: 'doubled', what: 'payment of a bounty', ids: [id, ...payments.map((payment) => payment.id)] }]
    const isOpen = status === 'open'
    const held = balanceOf.get(id)
    const due = isOpen ? rewardCredits : 0
    if (held !== due) return [{ kind: 'wrong', what: `escrow of the ${status} bounty is ${held}; ${due} is due`, ids: [id] }]
    if (isOpen || rewardCredits === 0) return []
    const [payment] = payments
    const payee = awardedSubmissionId === null ? accountId : authorOf.get(awardedSubmissionId)
    const kind = status === 'awarded' ? 'award' : 'refund'
    if (payment?.kind === kind && payment.toId === payee && payment.credits === rewardCredits) return []
    const was = payment ? `${payment.kind} of ${payment.credits} to ${payment.toId}` : 'nothing'
    return [{ kind: 'wrong', what: `the ${status} bounty paid ${was}; ${kind} of ${rewardCredits} to ${payee} is due`, ids: [id] }]
  })
}
