// The command line against the whole local cloud: a bundle of two files is deployed, runs, and an error names the file it is in.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { bounty } from '../cli/bounty.ts'
import { client, uniqueName } from './caller.ts'

test('deploy, run, an error with its place, the next version, a submission', async () => {
  const { baseUrl, demoKey } = inject('stack')
  const directory = mkdtempSync(join(tmpdir(), 'bounty-cli-'))
  const ask = (args: string[], input = '') => bounty(args, { env: { BOUNTY_URL: baseUrl, BOUNTY_KEY: demoKey }, cwd: directory, input })
  const name = uniqueName('cli')
  try {
    writeFileSync(join(directory, 'words.ts'), 'interface Text { text: string }\n\nexport const words = (t: Text) => t.text.split(" ")')
    const main =
      "import { words } from './words.ts'\nexport default (input: any) => {\n  console.log('counting')\n  return words(input).length\n}"
    writeFileSync(join(directory, 'main.ts'), main)
    const deployed = await ask(['deploy', 'main.ts', '--name', name])
    expect(deployed).toMatchObject({ code: 0, err: expect.stringContaining(`${name}: version 1, script`) })

    expect(await ask(['run', name, '--input', '-'], '{"text": "to be or not"}')).toMatchObject({
      code: 0,
      out: '4\n',
      err: expect.stringMatching(/^counting\nexe_\w+ completed, (interpreted|compiled), \d+ fuel/),
    })
    const failed = await ask(['run', deployed.out.trim(), '--input', '-'], '{}')
    expect(failed).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/TypeError: .*undefined\n +at words \(words\.ts:3:\d+\)/) })
    expect(failed.err).toMatch(/at main_default \(main\.ts:4:\d+\)/)

    expect(await ask(['deploy', 'main.ts', '--name', name])).toMatchObject({ code: 0, err: expect.stringContaining('version 2') })

    const cases = [
      { input: { text: 'a b' }, expected: 2 },
      { input: { text: 'a' }, expected: 7, name: 'impossible' },
    ]
    const { id } = await client().call('POST /api/bounties', { body: { title: name, rewardCredits: 0, cases } })
    const submitted = await ask(['submit', id, name, '--watch'])
    expect(submitted).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^sub_/),
      err: expect.stringMatching(/2 +wrong-answer .* impossible\nrejected: 1 of 2/),
    })
    expect(await ask(['bounties', name])).toMatchObject({ code: 0, out: expect.stringContaining(id) })
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})
