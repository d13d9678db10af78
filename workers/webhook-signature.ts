// Signs deliveries as https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md says, so that receivers check
// them with a library that they have.
import { toBase64 } from './base64.ts'

/** As the specification names them. */
export type WebhookHeaders = { 'webhook-id': string; 'webhook-timestamp': string; 'webhook-signature': string }

export type SignedDelivery = { secret: Uint8Array<ArrayBuffer>; id: string; at: number; body: string }

export async function signWebhook({ secret, id, at, body }: SignedDelivery): Promise<WebhookHeaders> {
  const timestamp = String(Math.floor(at / 1_000))
  const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  const signature = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(`${id}.${timestamp}.${body}`))
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${toBase64(new Uint8Array(signature))}` }
}

/** 256 random bits. */
export function newWebhookSecret(): { bytes: Uint8Array<ArrayBuffer>; shown: string } {
  const bytes = crypto.getRandomValues(new Uint8Array(32))
  return { bytes, shown: `whsec_${toBase64(bytes)}` }
}
