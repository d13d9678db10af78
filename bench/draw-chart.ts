// Charts as SVG: Vega-Lite draws them without a browser. What a chart says is in the results; how it looks is here.
import { parse, View } from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'
import type { BenchResult } from './result-files.ts'

export type DrawnChart = BenchResult['charts'][number]

export function drawChart(chart: DrawnChart): Promise<string> {
  const { spec } = compile(specOf(chart))
  return new View(parse(spec), { renderer: 'none' }).toSVG()
}

const look = {
  background: 'white',
  font: 'sans-serif',
  view: { stroke: 'transparent' },
  axis: { grid: true, gridColor: '#eee', domainColor: '#888', tickColor: '#888', labelLimit: 320 },
  range: { category: { scheme: 'tableau10' } },
  legend: { labelLimit: 320 },
} as const

function specOf(chart: DrawnChart): TopLevelSpec {
  return chart.kind === 'lines' ? lines(chart) : bars(chart)
}

function frame(chart: DrawnChart) {
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: { text: chart.title, anchor: 'start' },
    config: look,
    data: { values: chart.points },
  } as const
}

/** In the order in which they come, not by name. */
function orderOf(chart: DrawnChart, field: 'series' | 'x'): string[] {
  return [...new Set(chart.points.map((point) => String(point[field])))]
}

function colour(chart: DrawnChart) {
  const order = orderOf(chart, 'series')
  const legend = order.length > 1 ? ({ orient: 'bottom', columns: 4 } as const) : null
  return { field: 'series', type: 'nominal', sort: order, title: null, legend } as const
}

function lines(chart: DrawnChart): TopLevelSpec {
  const { x, y } = chart
  const isSparse = chart.points.length <= 15 * orderOf(chart, 'series').length
  return {
    ...frame(chart),
    width: 620,
    height: 320,
    encoding: {
      x: {
        field: 'x',
        type: 'quantitative',
        title: x.title,
        scale: x.scale === 'log' ? { type: 'log', nice: false } : { zero: false, nice: false },
      },
      y: { field: 'y', type: 'quantitative', title: y.title, scale: { type: y.scale ?? 'linear' } },
      color: colour(chart),
    },
    layer: [...(hasIntervals(chart) ? [areaBetween] : []), { mark: { type: 'line', point: isSparse, strokeWidth: 1.5, clip: true } }],
  }
}

const areaBetween = {
  mark: { type: 'area', opacity: 0.15 },
  encoding: { y: { field: 'low', type: 'quantitative' }, y2: { field: 'high' } },
} as const

/** On a logarithmic scale a bar's length means nothing: a point is drawn instead. */
function bars(chart: DrawnChart): TopLevelSpec {
  const { x, y } = chart
  const series = orderOf(chart, 'series')
  return {
    ...frame(chart),
    width: 520,
    height: { step: series.length > 1 ? 14 : 22, for: 'position' },
    encoding: {
      y: { field: 'x', type: 'nominal', sort: orderOf(chart, 'x'), title: x.title === '' ? null : x.title },
      yOffset: { field: 'series', type: 'nominal', sort: series },
      x: { field: 'y', type: 'quantitative', title: y.title, scale: { type: y.scale ?? 'linear' }, stack: null },
      color: colour(chart),
    },
    layer: [
      { mark: y.scale === 'log' ? { type: 'point', filled: true, size: 60, opacity: 1 } : { type: 'bar' } },
      ...(hasIntervals(chart) ? [ruleBetween] : []),
    ],
  }
}

const ruleBetween = {
  mark: { type: 'rule' },
  encoding: { x: { field: 'low', type: 'quantitative' }, x2: { field: 'high' }, color: { value: '#333' } },
} as const

function hasIntervals({ points }: DrawnChart): boolean {
  return points.length > 0 && points.every(({ low, high }) => low !== undefined && high !== undefined)
}
