// What `npm run bench --` makes of what was typed.
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { benchCommand } from '../../bench/bench-command.ts'
import { quickDirectory, resultsDirectory } from '../../bench/result-files.ts'

const known = { scenarios: ['api', 'pool', 'soak', 'sustained'], quickOnes: ['api', 'pool', 'sustained', 'peers'] }
const command = (...args: string[]) => benchCommand(args, known)

test('nothing: every scenario; --quick: the quick ones that there are, into a directory that is not kept', () => {
  expect(command()).toEqual({ what: 'measure', names: known.scenarios, quick: false, directory: resultsDirectory })
  expect(command('--quick')).toEqual({ what: 'measure', names: ['api', 'pool', 'sustained'], quick: true, directory: quickDirectory })
})

test('names, --sustained and --out', () => {
  expect(command('pool', 'api', 'pool')).toMatchObject({ names: ['pool', 'api'], quick: false })
  expect(command('--sustained')).toMatchObject({ names: ['sustained'], quick: false })
  expect(command('--sustained', '--quick', '--out', 'x')).toMatchObject({ names: ['sustained'], quick: true, directory: resolve('x') })
})

test('compare and render', () => {
  expect(command('compare', 'a', 'b')).toEqual({ what: 'compare', before: 'a', after: 'b', bound: 0.1 })
  expect(command('compare', 'a', 'b', '--bound', '0')).toMatchObject({ bound: 0 })
  expect(command('render')).toEqual({ what: 'render', directory: resultsDirectory })
  expect(command('render', 'x')).toEqual({ what: 'render', directory: resolve('x') })
})

test.each([
  { args: ['nope'], says: 'unknown scenario "nope"' },
  { args: ['--fast'], says: "Unknown option '--fast'" },
  { args: ['compare', 'a'], says: 'compare takes two results' },
  { args: ['compare', 'a', 'b', 'c'], says: 'compare takes two results' },
  { args: ['compare', 'a', 'b', '--bound', 'much'], says: '--bound is a share that is not negative, as 0.1, not "much"' },
])('$args is refused with a reason and the usage', ({ args, says }) => {
  expect(command(...args)).toMatchObject({ what: 'help', exitCode: 2, text: expect.stringContaining(says) })
})

test('--help is no mistake', () => {
  expect(command('--help')).toMatchObject({ what: 'help', exitCode: 0 })
})
