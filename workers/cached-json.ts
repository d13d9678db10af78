// Answers a public read from the caches. A request with a key reads fresh: whoever may write sees what was written. A request without one
// may see what was true up to two seconds before a write (one isolate's memory), or the lifetime when Upstash was down at that moment.
import type { Context } from 'hono'
import type { Principal } from '../shared/account.ts'
import type { AppEnv } from './app-env.ts'
import type { CachedRead } from './read-cache.ts'
import type { Services } from './services.ts'

export type CachedJson = CachedRead & {
  services: Pick<Services, 'reads'>
  caller: Principal | undefined
  load: () => Promise<unknown>
}

export async function cachedJson(c: Context<AppEnv>, { services, caller, load, ...wanted }: CachedJson): Promise<Response> {
  const loadText = async () => JSON.stringify(await load())
  const text = caller ? await loadText() : await services.reads.read(wanted, loadText)
  return c.body(text, 200, { 'content-type': 'application/json' })
}
