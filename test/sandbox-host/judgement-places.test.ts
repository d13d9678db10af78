// Judgements of one account and of all, each bound just below and just above.
import { expect, test } from 'vitest'
import { JudgementPlaces } from '../../sandbox-host/judgement-places.ts'

function setUp(max: number) {
  const places = new JudgementPlaces(max)
  const ends: (() => void)[] = []
  const hold = (account: string) => places.hold(account, () => new Promise<void>((resolve) => ends.push(resolve)))
  return { hold, end: (i: number) => ends[i]?.() }
}

test('one account alone holds at most as many as it leaves free; others take the rest; what is given back is free', async () => {
  const { hold, end } = setUp(8)
  const held = ['a', 'a', 'a', 'a'].map(hold)
  await expect(hold('a')).rejects.toThrow('the account has 4 judgements under way')
  held.push(...['b', 'c', 'd', 'e'].map(hold))
  await expect(hold('f')).rejects.toThrow('8 judgements are under way already')
  end(4)
  await held[4]
  await expect(hold('a')).rejects.toThrow('the account has 4')
  held.push(hold('f'))
  for (let i = 0; i < 9; i++) end(i)
  await Promise.all(held)
  held.push(...['a', 'a', 'a', 'a'].map(hold))
  await expect(hold('a')).rejects.toThrow('the account has 4')
})

test('a single place is for whoever comes, and free again after a failure', async () => {
  const { hold, end } = setUp(1)
  const held = hold('a')
  await expect(hold('b')).rejects.toThrow('1 judgements are under way already')
  end(0)
  await held
  const places = new JudgementPlaces(1)
  await expect(places.hold('a', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  await places.hold('b', async () => {})
})
