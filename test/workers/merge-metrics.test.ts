import { expect, test } from 'vitest'
import { mergeMetrics } from '../../workers/merge-metrics.ts'

test('each family is declared once, with the samples of all behind it', () => {
  const text = (host: string) =>
    [
      '# HELP runs_total Runs',
      '# TYPE runs_total counter',
      `runs_total{host="${host}"} 1`,
      '',
      '# HELP wait_seconds Waiting',
      '# TYPE wait_seconds histogram',
      `wait_seconds_bucket{le="1",host="${host}"} 2`,
      `wait_seconds_count{host="${host}"} 2`,
    ].join('\n')
  const only = '# HELP own_total Of one alone\n# TYPE own_total counter\nown_total{host="b"} 5'
  expect(mergeMetrics([text('a'), `${text('b')}\n${only}\n`])).toBe(
    [
      '# HELP runs_total Runs',
      '# TYPE runs_total counter',
      'runs_total{host="a"} 1',
      'runs_total{host="b"} 1',
      '# HELP wait_seconds Waiting',
      '# TYPE wait_seconds histogram',
      'wait_seconds_bucket{le="1",host="a"} 2',
      'wait_seconds_count{host="a"} 2',
      'wait_seconds_bucket{le="1",host="b"} 2',
      'wait_seconds_count{host="b"} 2',
      '# HELP own_total Of one alone',
      '# TYPE own_total counter',
      'own_total{host="b"} 5',
    ].join('\n'),
  )
})

test('one text stays as it is, but for its empty lines', () =>
  expect(mergeMetrics(['# TYPE a gauge\na 1\n\n'])).toBe('# TYPE a gauge\na 1'))
