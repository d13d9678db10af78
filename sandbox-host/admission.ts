// Every run of a guest begins here and nowhere else. Guests do nothing but compute, and the engine gives each that has begun its slices in
// turn; so what one account can take from another is decided by how many of its runs are begun, and that is this file's subject. What
// cannot begin waits, bounded in number, bytes and time; what cannot wait is refused at once.
//
//   admit ─▶ queue of the account ─▶ smallest tag first (fair-share.ts) ─▶ begun: memory of its tier is reserved ─▶ released
//               └─▶ refused: full, pushed out, too late, caller gone
//
// Beside all that one run for ourselves may go on in a thread that has nothing to do, until somebody wants it.
import { assert } from '../shared/assert.ts'
import type { ProblemError } from '../shared/problem.ts'
import { assertRelations, refusal } from './admission-limits.ts'
import type { AdmissionLimits, RefusalReason } from './admission-limits.ts'
import { systemClock } from './clock.ts'
import type { Clock } from './clock.ts'
import { FairShare } from './fair-share.ts'
import type { Share } from './fair-share.ts'
import { ThreadTime } from './thread-time.ts'

export const runClasses = ['execution', 'case', 'preparation'] as const
export type RunClass = (typeof runClasses)[number]

export type AdmissionRequest = {
  accountId: string
  runClass: RunClass
  /** Memory that the run may use. */
  memoryBytes: number
  /** Memory that is held while the run waits. */
  heldBytes: number
  waitMsMax: number
  /** Told when nobody wants the answer any more; from the beginning of the run on it changes nothing. */
  signal?: AbortSignal | undefined
}

/** A run that has begun; to be released once, when it has ended. */
export type Slot = { release: () => void }

export type AdmissionObserver = {
  began: (runClass: RunClass, waitMs: number) => void
  turnedAway: (reason: RefusalReason) => void
}

/** A run that does not fit into the memory is passed by this many that do; then nothing begins before it. */
const passesMax = 16
/** Accounts that are remembered; those with nothing running or waiting only because of their debt. */
const accountsMax = 4_096

type Account = { id: string; share: Share; waiting: Waiting[]; running: Set<Running>; memoryBytes: number }
type Running = { beganMicros: number }
type Waiting = {
  request: AdmissionRequest
  account: Account
  since: number
  /** Runs that began before it because it did not fit. */
  passes: number
  begin: (slot: Slot) => void
  refuse: (error: ProblemError) => void
  /** Ends the watch over its time and its caller. */
  unwatch: () => void
}

export class Admission {
  readonly #limits: AdmissionLimits
  readonly #observer: AdmissionObserver
  readonly #clock: Clock
  readonly #threadTime: ThreadTime
  readonly #fairShare = new FairShare()
  readonly #accounts = new Map<string, Account>()
  readonly #waitingAccounts = new Set<Account>()
  #queued = 0
  #queuedBytes = 0
  #running = 0
  #memoryBytes = 0
  /** Asks the run for ourselves, if there is one, to end. */
  #yieldIdle: (() => void) | undefined
  /** Accounts with anything running or waiting. */
  #active = 0

  constructor(limits: AdmissionLimits, { observer, clock = systemClock }: { observer: AdmissionObserver; clock?: Clock }) {
    assertRelations(limits)
    this.#limits = limits
    this.#observer = observer
    this.#clock = clock
    this.#threadTime = new ThreadTime(limits.threads, clock)
  }

  /** @returns a slot when the run may begin. @throws ProblemError `overloaded`, with when to come back */
  admit(request: AdmissionRequest): Promise<Slot> {
    assert(request.memoryBytes <= this.#limits.memoryBytesBudget, 'a tier that is offered must fit into the memory budget')
    return new Promise((begin, refuse) => {
      const account = this.#account(request.accountId)
      const waiting: Waiting = { request, account, since: this.#clock.now(), passes: 0, begin, refuse, unwatch: () => {} }
      this.#enqueue(waiting)
      if (request.signal?.aborted) return this.#refuse(waiting, 'caller-gone')
      this.#beginWhatMay()
      if (this.#queued > 0 || this.#running > this.#limits.threads) this.#yieldIdle?.()
      this.#refuseWhatIsTooMuch(waiting)
      if (account.waiting.at(-1) === waiting) this.#watch(waiting)
    })
  }

  /**
   * For a run that nobody waits for.
   * @param onWanted called, perhaps more than once, when somebody else wants to run: the run is to end as soon as it can
   * @returns undefined unless a thread and the memory are free, and no other such run goes on
   */
  admitIdle(memoryBytes: number, onWanted: () => void): Slot | undefined {
    if (this.#yieldIdle || !this.isIdle || this.#memoryBytes + 2 * memoryBytes > this.#limits.memoryBytesBudget) return undefined
    this.#yieldIdle = onWanted
    this.#memoryBytes += memoryBytes
    this.#threadTime.change(++this.#running)
    const release = () => {
      assert(this.#yieldIdle, 'a slot is released once')
      this.#yieldIdle = undefined
      this.#memoryBytes -= memoryBytes
      this.#threadTime.change(--this.#running)
      this.#beginWhatMay()
    }
    return { release }
  }

  /** Whether a thread has nothing to do, and whoever comes now finds a place still. */
  get isIdle(): boolean {
    const { threads, runningMax } = this.#limits
    return this.#queued === 0 && this.#running < threads && this.#running + 1 < runningMax
  }

  /** Runs that are begun or wait, but for one that would end for others. */
  get load(): number {
    return this.#running + this.#queued - (this.#yieldIdle ? 1 : 0)
  }

  stats(): Record<string, number> {
    return {
      queued: this.#queued,
      queuedBytes: this.#queuedBytes,
      running: this.#running,
      memoryBytesReserved: this.#memoryBytes,
      accounts: this.#active,
    }
  }

  #account(id: string): Account {
    let account = this.#accounts.get(id)
    if (!account) {
      account = { id, share: this.#fairShare.create(), waiting: [], running: new Set(), memoryBytes: 0 }
      this.#accounts.set(id, account)
    }
    return account
  }

  #enqueue(waiting: Waiting): void {
    const { account, request } = waiting
    if (!isActive(account)) this.#active++
    if (account.waiting.length === 0) this.#fairShare.wake(account.share)
    account.waiting.push(waiting)
    this.#waitingAccounts.add(account)
    this.#queued++
    this.#queuedBytes += request.heldBytes
  }

  #dequeue(waiting: Waiting): void {
    const { account, request } = waiting
    waiting.unwatch()
    account.waiting.splice(account.waiting.indexOf(waiting), 1)
    if (account.waiting.length === 0) this.#waitingAccounts.delete(account)
    this.#queued--
    this.#queuedBytes -= request.heldBytes
  }

  #watch(waiting: Waiting): void {
    const { signal, waitMsMax } = waiting.request
    const end = (reason: RefusalReason) => {
      this.#refuse(waiting, reason)
      this.#beginWhatMay()
    }
    const onAbort = () => end('caller-gone')
    const stopTimer = this.#clock.after(waitMsMax, () => end('waited-too-long'))
    signal?.addEventListener('abort', onAbort)
    waiting.unwatch = () => {
      stopTimer()
      signal?.removeEventListener('abort', onAbort)
    }
  }

  #beginWhatMay(): void {
    while (this.#queued > 0 && this.#running < this.#limits.runningMax) {
      const next = this.#next()
      if (!next) return
      this.#begin(next)
    }
  }

  /** Smallest tag first. What does not fit is passed, but not for ever. */
  #next(): Waiting | undefined {
    let first: Waiting | undefined
    let firstThatFits: Waiting | undefined
    for (const { waiting } of this.#waitingAccounts) {
      const [head] = waiting
      if (!head || !this.#isWithinShare(head)) continue
      if (comesBefore(head, first)) first = head
      const fits = this.#memoryBytes + head.request.memoryBytes <= this.#limits.memoryBytesBudget
      if (fits && comesBefore(head, firstThatFits)) firstThatFits = head
    }
    if (!first || first === firstThatFits || !firstThatFits) return firstThatFits
    if (first.passes >= passesMax) return undefined
    first.passes++
    return firstThatFits
  }

  /** What one account may have begun. No thread is ever idle for its sake. */
  #isWithinShare({ account, request }: Waiting): boolean {
    const { threads, runningMax, accountRunningMax, memoryBytesBudget } = this.#limits
    const { size } = account.running
    if (this.#running < threads || size === 0) return true
    if (this.#active > 1 && size >= accountRunningMax) return false
    // An account holds at most as much as it leaves free, so that whoever comes next finds a place and memory.
    const memoryBytesFree = memoryBytesBudget - this.#memoryBytes - request.memoryBytes
    return size + 1 <= runningMax - this.#running - 1 && account.memoryBytes + request.memoryBytes <= memoryBytesFree
  }

  #begin(waiting: Waiting): void {
    const { account, request, since } = waiting
    const { memoryBytes, runClass } = request
    this.#dequeue(waiting)
    const beganMicros = this.#threadTime.change(++this.#running)
    const running: Running = { beganMicros }
    const chargedMicros = expectedMicros(account, beganMicros)
    this.#fairShare.begin(account.share, chargedMicros)
    account.running.add(running)
    account.memoryBytes += memoryBytes
    this.#memoryBytes += memoryBytes
    this.#observer.began(runClass, this.#clock.now() - since)

    const release = () => {
      assert(account.running.delete(running), 'a slot is released once')
      const tookMicros = this.#threadTime.change(--this.#running) - beganMicros
      this.#fairShare.settle(account.share, { chargedMicros, tookMicros })
      account.memoryBytes -= memoryBytes
      this.#memoryBytes -= memoryBytes
      this.#forgetIfIdle(account)
      this.#beginWhatMay()
    }
    waiting.begin({ release })
  }

  /** Bounds hold when `admit` returns. Beyond those of all accounts the longest queue pays, by its newest. */
  #refuseWhatIsTooMuch(newcomer: Waiting): void {
    const { queueMax, accountQueueMax, queueBytesMax } = this.#limits
    if (newcomer.account.waiting.length > accountQueueMax) this.#refuse(newcomer, 'account-queue-full')
    if (this.#queued > queueMax) this.#pushOut(newcomer, ({ waiting }) => waiting.length)
    while (this.#queuedBytes > queueBytesMax) this.#pushOut(newcomer, ({ waiting }) => bytesOf(waiting))
  }

  #pushOut(newcomer: Waiting, size: (account: Account) => number): void {
    let longest = newcomer.account
    for (const account of this.#waitingAccounts) if (size(account) > size(longest)) longest = account
    const newest = longest.waiting.at(-1)
    assert(newest, 'the longest of the queues that are too long is not empty')
    if (newest === newcomer) return this.#refuse(newest, 'queue-full')
    this.#refuse(newest, 'pushed-out')
    // What left may have been what the others waited for.
    this.#beginWhatMay()
  }

  #refuse(waiting: Waiting, reason: RefusalReason): void {
    const { account, refuse } = waiting
    this.#dequeue(waiting)
    const error = refusal(reason, { limits: this.#limits, workMicros: this.#workMicros(account, reason) })
    this.#forgetIfIdle(account)
    this.#observer.turnedAway(reason)
    refuse(error)
  }

  /** Of the account in its share, or of all. */
  #workMicros(account: Account, reason: RefusalReason): number {
    const { micros } = this.#threadTime
    const workOf = (of: Account) => of.waiting.length * expectedMicros(of, micros)
    if (reason === 'account-queue-full') return workOf(account) * this.#active
    let sum = 0
    for (const waiting of this.#waitingAccounts) sum += workOf(waiting)
    return sum
  }

  /** Keeps an idle account as long as it has a debt and somebody is there to whom it matters. */
  #forgetIfIdle(account: Account): void {
    if (isActive(account)) return
    this.#active--
    if (this.#active === 0) this.#accounts.clear()
    else if (this.#fairShare.isSettled(account.share)) this.#accounts.delete(account.id)
    if (this.#accounts.size <= accountsMax) return
    for (const [id, idle] of this.#accounts) if (!isActive(idle)) this.#accounts.delete(id)
  }
}

function isActive({ waiting, running }: Account): boolean {
  return waiting.length > 0 || running.size > 0
}

function comesBefore(a: Waiting, b: Waiting | undefined): boolean {
  const later = b ? b.account.share.tagMicros - a.account.share.tagMicros || b.since - a.since : 1
  return later > 0
}

/** A run that is still going on says more about the next one than those that have ended. */
function expectedMicros({ share, running }: Account, nowMicros: number): number {
  const [oldest] = running
  return Math.max(share.estimateMicros, oldest ? nowMicros - oldest.beganMicros : 0)
}

function bytesOf(waiting: Waiting[]): number {
  return waiting.reduce((sum, { request }) => sum + request.heldBytes, 0)
}
