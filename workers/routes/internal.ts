// What the sandbox host calls; not under /api and not in the OpenAPI document. Only a signature made for the Worker opens it.
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { hostBeatSchema } from '../../shared/host.ts'
import { z } from 'zod'
import { messageRefusedSchema } from '../../shared/dead-letter.ts'
import { eventMessageSchema, messageBytesMax } from '../../shared/event-log.ts'
import { signatureHeader } from '../../shared/signing.ts'
import { executionClaimSchema, executionPutBackSchema, executionRenewalSchema } from '../../shared/execution-claim.ts'
import type { AppEnv } from '../app-env.ts'
import { recordBeat } from '../flows/record-beat.ts'
import { goOn } from '../background.ts'
import { claimExecution, putBackExecution, renewExecution } from '../flows/claim-execution.ts'
import { deliverWebhooks } from '../flows/deliver-webhooks.ts'
import { outcomeFrameSchema, recordOutcomes } from '../flows/record-outcomes.ts'
import { newId } from '../new-id.ts'
import { parseJson, readBytes } from '../request-body.ts'
import { parseWith } from '../request-issues.ts'
import type { Services } from '../services.ts'
import { createSignatureCheck } from '../signature.ts'
import { takeTurn } from '../take-messages.ts'

/** The host sends up to 8 MiB at once; a single record is smaller than 4. */
const batchBytesMax = 32 * 1024 * 1024
const takenMessageSchema = z.strictObject({ host: z.string().min(1).max(63), message: eventMessageSchema })

const beatBytesMax = 4 * 1024

export function addInternalRoutes(app: OpenAPIHono<AppEnv>, services: Services): void {
  const checkSignature = createSignatureCheck({ secret: services.sandboxSecret, nonces: services.nonces, now: services.now })

  async function signedBody(c: Context<AppEnv>, bytesMax: number): Promise<Uint8Array<ArrayBuffer>> {
    const header = c.req.header(signatureHeader)
    const body = await readBytes(c.req.raw, bytesMax)
    await checkSignature({ method: 'POST', path: c.req.path, header, body })
    return body
  }

  app.post('/internal/outcomes', async (c) => {
    const body = await signedBody(c, batchBytesMax)
    return c.json(await recordOutcomes(services, parseWith(outcomeFrameSchema, parseJson(body))))
  })

  app.post('/internal/hosts', async (c) => {
    const body = await signedBody(c, beatBytesMax)
    await recordBeat(services, parseWith(hostBeatSchema, parseJson(body)))
    return c.json({ recorded: true })
  })

  // What a host has taken from Kafka: the same as what Queues give. Answered when its turn is over; then the host commits.
  app.post('/internal/messages', async (c) => {
    const { host, message } = parseWith(takenMessageSchema, parseJson(await signedBody(c, messageBytesMax * 2)))
    const work = takeTurn(services, message, host)
    // A host that gives up waiting does not break the turn off.
    goOn(c, work)
    await work
    return c.json({})
  })

  app.post('/internal/executions/claim', async (c) => {
    const claim = parseWith(executionClaimSchema, parseJson(await signedBody(c, messageBytesMax * 2)))
    return c.json({ claimed: await claimExecution(services, claim) })
  })

  app.post('/internal/executions/renew', async (c) => {
    const renewal = parseWith(executionRenewalSchema, parseJson(await signedBody(c, messageBytesMax * 2)))
    return c.json(await renewExecution(services, renewal))
  })

  app.post('/internal/executions/put-back', async (c) => {
    const back = parseWith(executionPutBackSchema, parseJson(await signedBody(c, messageBytesMax * 2)))
    if (await putBackExecution(services, back)) goOn(c, deliverWebhooks(services))
    return c.json({})
  })

  app.post('/internal/dead-letters', async (c) => {
    const message = parseWith(messageRefusedSchema, parseJson(await signedBody(c, messageBytesMax * 2)))
    const at = services.now()
    const { topic, partition, offset, refusal, host } = message
    await services.deadLetters.keepRefused(message, { id: newId('deadLetter', at), at: new Date(at).toISOString() })
    services.log.error('message refused', { host, topic, partition, offset, refusal })
    return c.json({})
  })
}
