// Answers a public read that no cache keeps: whoever can think of any number of different questions must not be able to fill the caches with
// their answers. It still has an ETag.
import type { Context } from 'hono'
import type { Principal } from '../shared/account.ts'
import type { AppEnv } from './app-env.ts'
import { taggedJson } from './cached-json.ts'
import { etagOf } from './etag.ts'

export async function freshJson(
  c: Context<AppEnv>,
  { caller, load }: { caller: Principal | undefined; load: () => Promise<unknown> },
): Promise<Response> {
  const text = JSON.stringify(await load())
  return taggedJson(c, { text, etag: await etagOf(text), caller })
}
