// The files that pages load, each under a name with a hash of its text, so that browsers keep them for a year and never show an old one.
import type { OpenAPIHono } from '@hono/zod-openapi'
import { ProblemError } from '../../shared/problem.ts'
import type { AppEnv } from '../app-env.ts'
import { etagOf, holdsAlready } from '../etag.ts'
import { sha256Hex } from '../hex.ts'
import type { Router } from '../router.ts'
import { followScript } from './follow-script.ts'
import { icon } from './icon.ts'
import { stylesheet } from './stylesheet.ts'

const assets = {
  'board.css': { type: 'text/css; charset=utf-8', text: stylesheet },
  'follow.js': { type: 'text/javascript; charset=utf-8', text: followScript },
  'icon.svg': { type: 'image/svg+xml', text: icon },
}
export type AssetName = keyof typeof assets

const paths = new Map<AssetName, string>()

/** Where a page finds it. */
export async function assetPath(name: AssetName): Promise<string> {
  const known = paths.get(name)
  if (known !== undefined) return known
  const [stem, ending] = name.split('.')
  const path = `/assets/${stem}-${(await sha256Hex(assets[name].text)).slice(0, 12)}.${ending}`
  paths.set(name, path)
  return path
}

export function addAssets(app: OpenAPIHono<AppEnv>, router: Router): void {
  router.declare('get', '/assets/{name}')
  app.get('/assets/:name', async (c) => {
    for (const name of Object.keys(assets) as AssetName[]) {
      if (c.req.path !== (await assetPath(name))) continue
      const { type, text } = assets[name]
      const headers = { etag: await etagOf(text), 'cache-control': 'public, max-age=31536000, immutable' }
      if (holdsAlready(c.req.header('if-none-match'), headers.etag)) return c.body(null, 304, headers)
      return c.body(text, 200, { ...headers, 'content-type': type })
    }
    throw new ProblemError('not-found', { detail: 'there is no such file, or no longer; load the page again' })
  })
}
