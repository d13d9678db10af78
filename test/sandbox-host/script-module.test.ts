// The script engine's module is what its pinned sources give.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { buildScriptModule, sha256 } from '../../local/build-script-module.mjs'

const kept = readFileSync(new URL('../../sandbox-host/engine/script-module/quickjs.wasm', import.meta.url))

test('the module in the repository is the one that its sources give', { timeout: 300_000 }, async (context) => {
  const built = await buildScriptModule()
  // It needs a compiler that only those who change the module have.
  if ('missing' in built) return context.skip(`there is no ${built.missing}`)
  expect(sha256(built.wasm)).toBe(sha256(kept))
})
