// Peers that come with `npm install` answer as Node does, and end a loop where they say so. What they are worth is measured by `npm run bench -- peers`.
import { rm } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { peerKinds, startContender } from '../../bench/peers/peer-list.ts'
import { peerPrograms, writePeerPrograms } from '../../bench/peers/peer-programs.ts'

const wallMsMax = 1_000
let directory: string

beforeAll(async () => {
  directory = await writePeerPrograms(await peerPrograms())
})
afterAll(() => rm(directory, { recursive: true, force: true }))

test.each(peerKinds.filter(({ needs }) => !needs))('$name', async (kind) => {
  const peer = await startContender(kind, { directory, wallMsMax, quick: true })
  try {
    expect(await peer.ask('noop', { n: 1 })).toEqual({ kind: 'output', text: '{"n":1}' })
    expect(await peer.ask('task', { n: 10 })).toEqual({ kind: 'output', text: '55' })
    if (kind.guarantees['CPU limit'].holds) expect(await peer.ask('loop', null)).toMatchObject({ kind: 'ended' })
  } finally {
    await peer.stop()
  }
})
