// Whether a message from the event log is one of ours: signed by the Worker for this topic, not too old, and of a form that this host knows.
// What is not is refused with a reason; it can never be handled, by nobody.
import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto'
import type { MessageRefusal } from '../shared/dead-letter.ts'
import { heldMessageSchema, messageAgeMsMax, messageAheadMsMax, messageBytesMax, type HeldMessage } from '../shared/event-log.ts'
import { parseSignature, publishMethod, signatureHeader, signedText } from '../shared/signing.ts'
import type { TakenMessage } from './kafka-consumer.ts'

export class MessageRefused extends Error {
  readonly refusal: MessageRefusal

  constructor(refusal: MessageRefusal, detail: string) {
    super(detail)
    this.name = 'MessageRefused'
    this.refusal = refusal
  }
}

/** @throws MessageRefused */
export type MessageCheck = (message: Pick<TakenMessage, 'topic' | 'value' | 'header'>) => HeldMessage

export function createMessageCheck({ secret, now = Date.now }: { secret: string; now?: () => number }): MessageCheck {
  const key = createSecretKey(secret, 'utf8')
  return ({ topic, value, header }) => {
    if (value.length > messageBytesMax)
      throw new MessageRefused('too-large', `it has ${value.length} bytes; at most ${messageBytesMax} are allowed`)
    const parts = parseSignature(header(signatureHeader))
    if (!parts) throw new MessageRefused('forged', `the header ${signatureHeader} is absent, or no signature`)
    const head = signedText({ audience: 'event-log', method: publishMethod, path: topic, at: parts.at, nonce: parts.nonce })
    const expected = createHmac('sha256', key).update(head).update(value).digest()
    if (!timingSafeEqual(expected, Buffer.from(parts.signature, 'hex')))
      throw new MessageRefused('forged', 'the signature does not belong to this message on this topic')
    const ageMs = now() - parts.at
    if (ageMs > messageAgeMsMax || ageMs < -messageAheadMsMax)
      throw new MessageRefused('stale', `it was signed ${Math.round(ageMs / 1_000)} s ago by the host's clock`)
    const held = parse(value)
    if (!topic.endsWith(held.message.topic))
      throw new MessageRefused('malformed', `it is about ${held.message.topic}, which is not for this topic`)
    return held
  }
}

function parse(value: Buffer): HeldMessage {
  let content: unknown
  try {
    content = JSON.parse(value.toString())
  } catch {
    throw new MessageRefused('malformed', 'it is no JSON')
  }
  const parsed = heldMessageSchema.safeParse(content)
  if (parsed.success) return parsed.data
  const { path, message } = parsed.error.issues[0] ?? { path: [], message: 'is not allowed' }
  throw new MessageRefused('malformed', `${path.join('.') || 'the message'}: ${message}`.slice(0, 500))
}
