// Verdicts of public cases: all of them at a glance, and one by one.
import type { PublicCase } from '../../shared/bounty.ts'
import type { Submission } from '../../shared/submission.ts'
import { pathWith, Scroll } from './elements.tsx'
import { bytes, count, countOf, fuel, micros } from './figures.ts'

const rowsPerPage = 100

/** Without a verdict the case was not run, or not yet. */
export type CaseVerdict = { of: PublicCase; verdict: Submission['verdicts'][number] | undefined }

/** A cell for each case, in their order. What the colours say is in the legend in words, and in the table. */
export function VerdictStrip({ cases }: { cases: CaseVerdict[] }) {
  const counts = new Map<string, number>()
  for (const { verdict } of cases) {
    const status = verdict?.status ?? 'no verdict'
    counts.set(status, (counts.get(status) ?? 0) + 1)
  }
  const legend = [...counts].toSorted(([, a], [, b]) => b - a)
  return (
    <>
      <div
        class="strip"
        role="img"
        aria-label={`${countOf(cases.length, 'public case')}: ${legend.map(([status, of]) => `${count(of)} ${status}`).join(', ')}`}
      >
        {cases.map(({ of, verdict }) => (
          <i class={`cell ${classOf(verdict?.status)}`} title={`${of.position + 1}: ${verdict?.status ?? 'no verdict'}`} />
        ))}
      </div>
      <ul class="legend">
        {legend.map(([status, of]) => (
          <li>
            <i class={`cell ${classOf(status === 'no verdict' ? undefined : status)}`} aria-hidden="true" /> {count(of)} {status}
          </li>
        ))}
      </ul>
    </>
  )
}

function classOf(status: string | undefined): string {
  if (status === undefined) return 'cell-none'
  if (status === 'accepted') return 'cell-accepted'
  return status === 'wrong-answer' ? 'cell-wrong' : 'cell-ended'
}

type TableProps = { submissionId: string; bountyId: string; cases: CaseVerdict[]; only: 'failed' | undefined; page: number }

export function VerdictTable({ submissionId, bountyId, cases, only, page }: TableProps) {
  const judged = cases.filter(({ verdict }) => verdict !== undefined)
  const wanted = only === 'failed' ? judged.filter(({ verdict }) => verdict?.status !== 'accepted') : judged
  const rows = wanted.slice((page - 1) * rowsPerPage, page * rowsPerPage)
  const path = (query: Record<string, string | undefined>) => `${pathWith(`/submissions/${submissionId}`, query)}#by-case`
  return (
    <>
      <nav class="filter" aria-label="Filter by verdict">
        <ul>
          <li>
            <a href={path({})} {...(only === undefined ? { 'aria-current': 'true' } : {})}>
              all
            </a>
          </li>
          <li>
            <a href={path({ only: 'failed' })} {...(only === 'failed' ? { 'aria-current': 'true' } : {})}>
              not accepted
            </a>
          </li>
        </ul>
      </nav>
      {rows.length === 0 ? (
        <p class="nothing">There are none{page > 1 ? ' on this page' : ''}.</p>
      ) : (
        <Scroll label="Verdicts case by case">
          <table>
            <caption class="hidden">Verdicts of public cases, in the order of the cases</caption>
            <thead>
              <tr>
                <th scope="col" class="number">
                  <abbr title="Number">#</abbr>
                </th>
                <th scope="col">Case</th>
                <th scope="col">Verdict</th>
                <th scope="col" class="number">
                  Fuel
                </th>
                <th scope="col" class="number">
                  Time
                </th>
                <th scope="col" class="number">
                  Memory
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map(({ of, verdict }) => (
                <tr>
                  <td class="number">{of.position + 1}</td>
                  <th scope="row">
                    <a href={`/bounties/${bountyId}/cases/${of.id}`}>
                      <bdi>{of.name ?? `case ${of.position + 1}`}</bdi>
                    </a>
                  </th>
                  <td>
                    <i class={`cell ${classOf(verdict?.status)}`} aria-hidden="true" /> {verdict?.status}
                  </td>
                  <td class="number">{fuel(verdict?.usage.fuel ?? null)}</td>
                  <td class="number">{micros(verdict?.usage.wallMicros ?? 0)}</td>
                  <td class="number">{bytes(verdict?.usage.memoryBytesPeak ?? 0)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      {wanted.length > rowsPerPage && (
        <nav class="pager" aria-label="Pages of verdicts">
          {page > 1 && (
            <a rel="prev" href={path({ only, page: String(page - 1) })}>
              Before
            </a>
          )}
          <span class="quiet">
            page {count(page)} of {count(Math.ceil(wanted.length / rowsPerPage))}
          </span>
          {page * rowsPerPage < wanted.length && (
            <a rel="next" href={path({ only, page: String(page + 1) })}>
              Next
            </a>
          )}
        </nav>
      )}
    </>
  )
}
