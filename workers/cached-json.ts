// Answers a public read from the caches. A request with a key reads fresh: whoever may write sees what was written. A request without one
// may see what was true up to two seconds before a write (one isolate's memory), twelve while loads are slow. Where Upstash was away at the
// moment of the write, that lasts until the isolate that wrote reaches it again, or the lifetime. Whoever keeps the answer asks again before
// it is used, which costs a 304 while nothing has changed.
import type { Context } from 'hono'
import type { Principal } from '../shared/account.ts'
import type { AppEnv } from './app-env.ts'
import { sealed } from './envelope.ts'
import { etagOf, holdsAlready } from './etag.ts'
import type { CachedRead, TaggedText } from './read-cache.ts'
import type { Services } from './services.ts'

export type CachedJson = CachedRead & {
  services: Pick<Services, 'reads'>
  caller: Principal | undefined
  load: () => Promise<unknown>
  /** Whether it is one of finitely many: whoever can think of any number of questions must not fill the caches. Default: it is. */
  isKept?: boolean
}

export async function cachedJson(c: Context<AppEnv>, { services, caller, load, isKept = true, ...wanted }: CachedJson): Promise<Response> {
  const loadText = async () => JSON.stringify(await load())
  if (!caller && isKept) {
    c.set('quickAnswer', { read: wanted })
    return taggedJson(c, { ...(await services.reads.read(wanted, loadText)), caller })
  }
  const text = await loadText()
  return taggedJson(c, { text, etag: await etagOf(text), caller })
}

/** JSON that anybody may read, or 304 for a caller that has it. */
export function taggedJson(c: Context<AppEnv>, { text, etag, caller }: TaggedText & { caller: Principal | undefined }): Response {
  const headers = { etag, 'cache-control': `${caller ? 'private' : 'public'}, no-cache` }
  if (holdsAlready(c.req.header('if-none-match'), etag)) return sealed(c, { body: null, status: 304, headers })
  return sealed(c, { body: text, headers: { ...headers, 'content-type': 'application/json' } })
}
