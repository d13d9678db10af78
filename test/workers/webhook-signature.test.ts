// Signatures and sealed secrets; that the former are right is what an independent library says.
import { Webhook, WebhookVerificationError } from 'standardwebhooks'
import { describe, expect, test } from 'vitest'
import { createSecretBox } from '../../workers/sealed-secret.ts'
import { newWebhookSecret, signWebhook } from '../../workers/webhook-signature.ts'

describe('a signature', () => {
  const secret = newWebhookSecret()
  const verifier = new Webhook(secret.shown)
  const body = '{"type" : "webhook.ping", "n": 1.50, "é": "\\u0000"}'
  const signed = (at = Date.now()) => signWebhook({ secret: secret.bytes, id: 'evt_1', at, body })

  test('is what the library expects', async () => {
    expect(verifier.verify(body, await signed())).toEqual({ type: 'webhook.ping', n: 1.5, é: '\0' })
  })

  test('holds for this body, this id, this time and this secret alone', async () => {
    const headers = await signed()
    expect(() => verifier.verify(`${body} `, headers)).toThrow(WebhookVerificationError)
    expect(() => verifier.verify(body, { ...headers, 'webhook-id': 'evt_2' })).toThrow(WebhookVerificationError)
    const later = String(Number(headers['webhook-timestamp']) + 1)
    expect(() => verifier.verify(body, { ...headers, 'webhook-timestamp': later })).toThrow(WebhookVerificationError)
    expect(() => new Webhook(newWebhookSecret().shown).verify(body, headers)).toThrow(WebhookVerificationError)
  })

  test('is refused by the library when it is ten minutes old', async () => {
    const old = await signed(Date.now() - 600_000)
    expect(() => verifier.verify(body, old)).toThrow(/too old/)
  })
})

describe('a sealed secret', () => {
  const box = createSecretBox({ secret: 'x'.repeat(32), purpose: 'tests' })
  const { bytes } = newWebhookSecret()

  test('opens for its owner, and looks different each time', async () => {
    const [one, two] = [await box.seal(bytes, 'whk_1'), await box.seal(bytes, 'whk_1')]
    expect(one).not.toBe(two)
    expect([await box.open(one, 'whk_1'), await box.open(two, 'whk_1')]).toEqual([bytes, bytes])
    expect(await createSecretBox({ secret: 'x'.repeat(32), purpose: 'tests' }).open(one, 'whk_1')).toEqual(bytes)
  })

  test('does not open for another row, under another key or purpose, or when it was changed', async () => {
    const sealed = await box.seal(bytes, 'whk_1')
    await expect(box.open(sealed, 'whk_2')).rejects.toThrow(/operation/)
    await expect(createSecretBox({ secret: 'y'.repeat(32), purpose: 'tests' }).open(sealed, 'whk_1')).rejects.toThrow(/operation/)
    await expect(createSecretBox({ secret: 'x'.repeat(32), purpose: 'others' }).open(sealed, 'whk_1')).rejects.toThrow(/operation/)
    const flipped = sealed.replace(/.(?=.{10}$)/, (character) => (character === 'A' ? 'B' : 'A'))
    await expect(box.open(flipped, 'whk_1')).rejects.toThrow(/operation/)
    await expect(box.open(sealed.replace('v1', 'v2'), 'whk_1')).rejects.toThrow(/"v2"/)
  })
})
