// `RESULTS.md`, its plots and the README's figures are what the results say.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { drawChart } from '../../bench/draw-chart.ts'
import { readmeFigures } from '../../bench/readme-figures.ts'
import { renderResults, resultsDocument, updateReadme } from '../../bench/render-results.ts'
import { readResults, resultsDirectory, writeResult } from '../../bench/result-files.ts'
import { benchResult } from './results.ts'

const root = join(import.meta.dirname, '..', '..')
const chart = {
  name: 'speed',
  title: 'Speed <of> all',
  kind: 'lines' as const,
  x: { title: 'connections', scale: 'log' as const },
  y: { title: 'per second' },
  points: [
    { series: 'ours', x: 1, y: 10, low: 9, high: 11 },
    { series: 'ours', x: 10, y: 20, low: 19, high: 21 },
  ],
}

test('the documents are those of the results that are kept: `npm run bench -- render`', () => {
  const results = readResults(resultsDirectory)
  expect(readFileSync(join(root, 'bench', 'RESULTS.md'), 'utf8')).toBe(resultsDocument(results, 'results/plots'))
  expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain(readmeFigures(results))
})

describe('a document', () => {
  test('shows figures with what they had to reach, tables with their note, and names machine, commit and load', () => {
    const text = resultsDocument(
      [
        benchResult({
          figures: [
            { name: 'rate', value: 1234.5, target: '>= 1,000' },
            { name: 'p99, ms', value: 12.34, target: '<= 10' },
            { name: 'lost', value: null, target: '0' },
          ],
          tables: [
            {
              title: 'Promised and reached',
              columns: ['endpoint', 'promised'],
              rows: [
                ['health | ready', 8500],
                ['none', null],
              ],
              note: 'Other hardware.',
            },
          ],
        }),
      ],
      'plots',
    )
    expect(text).toContain('`npm run bench -- api` · 2026-11-25 · commit abc1234 · 1 min 5 s · Node v24 · load 0.1')
    expect(text).toMatch(/\| rate +\| 1,235 +\| >= 1,000 +\| yes/)
    expect(text).toMatch(/\| p99, ms +\| +12\.3 +\| <= 10 +\| \*\*no\*\*/)
    expect(text).toMatch(/\| lost +\| – +\| 0 +\| \*\*no\*\*/)
    expect(text).toMatch(/\| health \\\| ready +\| +8,500 \|/)
    expect(text).toContain('Other hardware.')
    expect(text).not.toContain('Other work was running')
  })

  test('says when other work was running', () => {
    const { machine } = benchResult()
    expect(resultsDocument([benchResult({ machine: { ...machine, loadBefore: 1.1 } })], 'plots')).toContain(
      'Other work was running (load 1.1',
    )
  })
})

test('charts are drawn, escaped, and left out when they are empty', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'bounty-render-'))
  try {
    const { machine } = benchResult()
    writeResult(directory, { ...benchResult(), machine, figures: [], tables: [], charts: [chart, { ...chart, name: 'empty', points: [] }] })
    // Not a result: left alone.
    writeFileSync(join(directory, 'chaos.json'), '{"seed": 1}')
    await renderResults({ from: directory, into: directory, plots: 'plots' })
    expect(readFileSync(join(directory, 'RESULTS.md'), 'utf8')).toContain('![Speed <of> all](plots/speed.svg)')
    const svg = readFileSync(join(directory, 'plots', 'speed.svg'), 'utf8')
    expect(svg).toMatch(/^<svg /)
    expect(svg).toContain('Speed &lt;of&gt; all')
    expect(existsSync(join(directory, 'plots', 'empty.svg'))).toBe(false)
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('bars over names are drawn on a linear and on a logarithmic scale', async () => {
  const points = [
    { series: 'start + run', x: 'ours', y: 3 },
    { series: 'start + run', x: 'theirs', y: 100 },
  ]
  for (const scale of ['linear', 'log'] as const) {
    const svg = await drawChart({ ...chart, kind: 'bars', x: { title: '' }, y: { title: 'times', scale }, points })
    expect(svg).toContain('theirs')
    expect(svg).not.toMatch(/NaN|undefined|Infinity/)
  }
})

test("the README's figures go between their marks, and nothing else changes", () => {
  const directory = mkdtempSync(join(tmpdir(), 'bounty-readme-'))
  try {
    const path = join(directory, 'README.md')
    const marks = ['<!-- figures: written by `npm run bench` from bench/results -->', '<!-- end of figures -->']
    writeFileSync(path, `a\n${marks.join('\nold\n')}\nb\n`)
    updateReadme(path, 'new')
    expect(readFileSync(path, 'utf8')).toBe(`a\n${marks.join('\nnew\n')}\nb\n`)
    writeFileSync(path, 'nothing')
    expect(() => updateReadme(path, 'new')).toThrow('no place for figures')
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('a row of the README whose figures are not there is left out', () => {
  expect(readmeFigures([])).not.toContain('npm start')
  const start = benchResult({ scenario: 'start', figures: [{ name: 'npm start to ready, second time, s', value: 2.9 }] })
  expect(readmeFigures([start])).toContain('2.90 s')
})
