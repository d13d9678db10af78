import { expect, test } from 'vitest'
import { CircuitBreaker } from '../../workers/circuit-breaker.ts'

/** A thing that fails while it is down, its clock, and how often it was really called. */
function subject() {
  const state = { now: 0, calls: 0, isDown: true }
  const breaker = new CircuitBreaker(() => state.now)
  const call = () =>
    breaker.run(async () => {
      state.calls++
      if (state.isDown) throw new Error('down')
      return 'up'
    })
  return { state, call, failing: () => expect(call()).rejects.toThrow(/down|not tried/) }
}

test('after three failures in a row nothing is tried for five seconds, then one call', async () => {
  const { state, failing } = subject()
  for (let i = 0; i < 10; i++) await failing()
  expect(state.calls).toBe(3)
  state.now += 4_999
  await failing()
  expect(state.calls).toBe(3)
  state.now += 1
  await Promise.all([failing(), failing(), failing()])
  expect(state.calls).toBe(4)
})

test('a trial that succeeds lets everybody through again', async () => {
  const { state, call, failing } = subject()
  for (let i = 0; i < 3; i++) await failing()
  state.isDown = false
  state.now += 5_000
  for (let i = 0; i < 3; i++) expect(await call()).toBe('up')
  state.isDown = true
  for (let i = 0; i < 5; i++) await failing()
  expect(state.calls).toBe(9)
})

test('failures between successes do not add up', async () => {
  const { state, call, failing } = subject()
  for (let i = 0; i < 4; i++) {
    state.isDown = true
    await failing()
    await failing()
    state.isDown = false
    await call()
  }
  expect(state.calls).toBe(12)
})

test('a trial that never ends leaves the next one to its time', async () => {
  const state = { now: 0 }
  const breaker = new CircuitBreaker(() => state.now)
  for (let i = 0; i < 3; i++) await expect(breaker.run(() => Promise.reject(new Error('down')))).rejects.toThrow('down')
  state.now += 5_000
  void breaker.run(() => new Promise(() => {}))
  await expect(breaker.run(async () => 'up')).rejects.toThrow('not tried')
  state.now += 5_000
  expect(await breaker.run(async () => 'up')).toBe('up')
})
