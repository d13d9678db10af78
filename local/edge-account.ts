// The first calls to a fresh edge: wait until it can serve, and see that the demo account exists, its key works and it has credits to offer.
import { z } from 'zod'
import { accountCreatedSchema, ownAccountSchema } from '../shared/account.ts'

const readyWallMsMax = 60_000
const pollEveryMs = 50

export type ReadyOptions = { baseUrl: string; signal: AbortSignal | undefined; advice: () => string }

export async function untilReady({ baseUrl, signal, advice }: ReadyOptions): Promise<void> {
  const deadline = performance.now() + readyWallMsMax
  let last = 'no answer'
  while (performance.now() < deadline) {
    signal?.throwIfAborted()
    try {
      const response = await fetch(`${baseUrl}/api/ready`, { signal: AbortSignal.timeout(3_000) })
      const body = await response.text()
      if (response.ok) return
      last = `${response.status}: ${body.slice(0, 1_000)}`
    } catch (error) {
      last = error instanceof Error ? error.message : String(error)
    }
    await new Promise((resolve) => setTimeout(resolve, pollEveryMs))
  }
  throw new Error(`GET ${baseUrl}/api/ready was not 200 within ${readyWallMsMax / 1000} s, at last ${last}\n${advice()}`)
}

export type DemoAccountOptions = { baseUrl: string; adminKey: string; kept: string | undefined }

/** @returns the kept key when it still works, else one of a new account */
export async function demoAccountKey({ baseUrl, adminKey, kept }: DemoAccountOptions): Promise<string> {
  if (kept !== undefined) {
    const response = await fetch(`${baseUrl}/api/accounts/me`, { headers: { authorization: `Bearer ${kept}` } })
    await response.body?.cancel()
    if (response.ok) return kept
    // Anything but an unknown key is a fault of this moment, and no reason for a second account.
    if (response.status !== 401 && response.status !== 403) throw new Error(`GET /api/accounts/me answered ${response.status}`)
  }
  const made = await createAccount(baseUrl, adminKey, 'demo')
  // Names are unique; the key of an older demo account is lost for good.
  return made ?? (await createAccount(baseUrl, adminKey, `demo-${Date.now().toString(36)}`)) ?? Promise.reject(new Error('no demo account'))
}

/** @returns undefined when the name is taken */
async function createAccount(baseUrl: string, adminKey: string, name: string): Promise<string | undefined> {
  const response = await fetch(`${baseUrl}/api/accounts`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
    // Whoever tries the system, or measures it, is not to be stopped by a limit that is meant for strangers.
    body: JSON.stringify({ name, rateLimited: false }),
  })
  const body = await response.text()
  if (response.status === 409) return undefined
  if (response.status !== 201) throw new Error(`POST /api/accounts answered ${response.status}: ${body.slice(0, 500)}`)
  return z.object({ key: accountCreatedSchema.shape.key }).parse(JSON.parse(body)).key
}

/** Enough for a thousand bounties like the demo's. */
const demoCredits = 1_000_000

/** Tops up the account of the key when it holds less than half of what it began with. */
export async function fundAccount({ baseUrl, adminKey, key }: { baseUrl: string; adminKey: string; key: string }): Promise<void> {
  const read = await fetch(`${baseUrl}/api/accounts/me`, { headers: { authorization: `Bearer ${key}` } })
  if (!read.ok) throw new Error(`GET /api/accounts/me answered ${read.status}`)
  const { id, balanceCredits } = ownAccountSchema.parse(await read.json())
  if (balanceCredits >= demoCredits / 2) return
  const minted = await fetch(`${baseUrl}/api/accounts/${id}/credits`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ credits: demoCredits - balanceCredits, reason: 'local demo' }),
  })
  const body = await minted.text()
  if (minted.status !== 201) throw new Error(`POST /api/accounts/${id}/credits answered ${minted.status}: ${body.slice(0, 500)}`)
}
