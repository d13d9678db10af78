// Answers a page of a public list. First pages without free text are kept by the caches, as other public reads; whoever can think of any number
// of different questions must not be able to fill them with the answers.
import type { Context } from 'hono'
import type { Principal } from '../shared/account.ts'
import type { AppEnv } from './app-env.ts'
import { cachedJson, taggedJson } from './cached-json.ts'
import { etagOf } from './etag.ts'
import type { ListRead } from './public-reads.ts'
import type { Services } from './services.ts'

export type ListJson = ListRead<unknown> & { services: Pick<Services, 'reads'>; caller: Principal | undefined }

export async function listJson(c: Context<AppEnv>, { isKept, services, caller, ...read }: ListJson): Promise<Response> {
  if (isKept) return cachedJson(c, { services, caller, ...read })
  const text = JSON.stringify(await read.load())
  return taggedJson(c, { text, etag: await etagOf(text), caller })
}
