// What the sandbox host calls; not under /api and not in the OpenAPI document. Only a signature made for the Worker opens it.
import type { OpenAPIHono } from '@hono/zod-openapi'
import { signatureHeader } from '../../shared/signing.ts'
import type { AppEnv } from '../app-env.ts'
import { outcomeFrameSchema, recordOutcomes } from '../flows/record-outcomes.ts'
import { parseJson, readBytes } from '../request-body.ts'
import { parseWith } from '../request-issues.ts'
import type { Services } from '../services.ts'
import { createSignatureCheck } from '../signature.ts'

/** The host sends up to 8 MiB at once; a single record is smaller than 4. */
const batchBytesMax = 32 * 1024 * 1024

export function addInternalRoutes(app: OpenAPIHono<AppEnv>, services: Services): void {
  const checkSignature = createSignatureCheck({ secret: services.sandboxSecret, nonces: services.nonces, now: services.now })

  app.post('/internal/outcomes', async (c) => {
    const header = c.req.header(signatureHeader)
    const body = await readBytes(c.req.raw, batchBytesMax)
    await checkSignature({ method: 'POST', path: '/internal/outcomes', header, body })
    return c.json(await recordOutcomes(services, parseWith(outcomeFrameSchema, parseJson(body))))
  })
}
