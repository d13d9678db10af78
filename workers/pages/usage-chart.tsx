// Executions by day as columns, drawn here; the same figures as a table for whoever does not see it.
import type { DayUsage } from '../../shared/day-usage.ts'
import { Scroll } from './elements.tsx'
import { count, day, dollars, micros, scaled } from './figures.ts'

const dayMs = 86_400_000
const height = 80
const column = 10

export function UsageChart({ usage, today, days }: { usage: DayUsage[]; today: string; days: number }) {
  const executionsOn = new Map(usage.map((each) => [each.day, each.executions]))
  const end = Date.parse(today)
  const shown = Array.from({ length: days }, (_, i) => {
    const date = new Date(end - (days - 1 - i) * dayMs).toISOString().slice(0, 10)
    return { date, executions: executionsOn.get(date) ?? 0 }
  })
  const most = Math.max(1, ...shown.map(({ executions }) => executions))
  return (
    <>
      <figure class="chart">
        <svg viewBox={`0 0 ${days * column} ${height}`} preserveAspectRatio="none" aria-hidden="true">
          {shown.map(({ date, executions }, i) => {
            const tall = executions === 0 ? 1 : Math.max(2, (height * executions) / most)
            return (
              <rect class={executions === 0 ? 'bar-all' : 'bar-part'} x={i * column + 1} y={height - tall} width={column - 2} height={tall}>
                <title>{`${day(date)}: ${count(executions)}`}</title>
              </rect>
            )
          })}
        </svg>
        <figcaption>
          Executions by day (UTC), at most {count(Math.max(...shown.map(({ executions }) => executions)))}; {day(shown[0]?.date ?? today)}{' '}
          to {day(today)}
        </figcaption>
      </figure>
      {usage.length > 0 && (
        <details class="figures">
          <summary>The figures</summary>
          <Scroll label="Usage by day">
            <table>
              <caption class="hidden">Usage by day, newest first</caption>
              <thead>
                <tr>
                  <th scope="col">Day</th>
                  <th scope="col" class="number">
                    Executions
                  </th>
                  <th scope="col" class="number">
                    Fuel
                  </th>
                  <th scope="col" class="number">
                    Time
                  </th>
                  <th scope="col" class="number">
                    Cost, about
                  </th>
                  <th scope="col" class="number">
                    Credits in
                  </th>
                  <th scope="col" class="number">
                    Credits out
                  </th>
                </tr>
              </thead>
              <tbody>
                {usage.map((each) => (
                  <tr>
                    <th scope="row">{day(each.day)}</th>
                    <td class="number">{count(each.executions)}</td>
                    <td class="number">{scaled(each.fuel)}</td>
                    <td class="number">{micros(each.wallMicros)}</td>
                    <td class="number">{dollars(each.costMicroUsd)}</td>
                    <td class="number">{count(each.creditsIn)}</td>
                    <td class="number">{count(each.creditsOut)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
        </details>
      )}
    </>
  )
}
