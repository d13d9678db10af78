// What the sandbox host calls; not under /api and not in the OpenAPI document. Only a signature made for the Worker opens it.
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { hostBeatSchema } from '../../shared/host.ts'
import { signatureHeader } from '../../shared/signing.ts'
import type { AppEnv } from '../app-env.ts'
import { recordBeat } from '../flows/record-beat.ts'
import { outcomeFrameSchema, recordOutcomes } from '../flows/record-outcomes.ts'
import { parseJson, readBytes } from '../request-body.ts'
import { parseWith } from '../request-issues.ts'
import type { Services } from '../services.ts'
import { createSignatureCheck } from '../signature.ts'

/** The host sends up to 8 MiB at once; a single record is smaller than 4. */
const batchBytesMax = 32 * 1024 * 1024

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
}
