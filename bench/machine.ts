// What the figures were measured on: without it a figure means nothing.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os'
import type { BenchResult } from './result-files.ts'

/** As a scenario begins; `loadAfter` is added when it has ended. */
export function describeMachine(): BenchResult['machine'] {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    commit: git('rev-parse', '--short', 'HEAD'),
    // Whether the checkout differed from the commit.
    dirty: git('status', '--porcelain') !== '',
    loadBefore: loadNow(),
    packages: { ...manifest.dependencies, ...manifest.devDependencies },
  }
}

/** Of the last minute, all processes of the machine. */
export function loadNow(): number {
  return loadavg()[0] ?? 0
}

function git(...args: string[]): string {
  try {
    return execFileSync('git', args, { encoding: 'utf8' }).trim()
  } catch {
    return 'unknown'
  }
}
