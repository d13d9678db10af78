// Public cases of a bounty: closed until somebody opens one, a page of them at a time, long ones cut with a way to all of it.
import type { Bounty } from '../../shared/bounty.ts'
import { pathWith } from './elements.tsx'
import { count } from './figures.ts'

const casesPerPage = 25
/** About a screen of a phone. */
const excerptCharacters = 1_200

export function CaseList({ bounty: { id, cases }, page }: { bounty: Bounty; page: number }) {
  const from = (page - 1) * casesPerPage
  const shown = cases.slice(from, from + casesPerPage)
  const pages = Math.ceil(cases.length / casesPerPage)
  const path = (to: number) => `${pathWith(`/bounties/${id}`, { cases: to === 1 ? undefined : String(to) })}#cases`
  return (
    <>
      <ul class="cases">
        {shown.map((each) => (
          <li>
            <details id={each.id}>
              <summary>
                <span class="number">{each.position + 1}</span> <bdi>{each.name ?? 'case'}</bdi>
              </summary>
              <dl>
                <dt>Input</dt>
                <dd>
                  <CaseText value={each.input} excerptAt={`/bounties/${id}/cases/${each.id}`} />
                </dd>
                <dt>Expected output</dt>
                <dd>
                  <CaseText value={each.expected} excerptAt={`/bounties/${id}/cases/${each.id}`} />
                </dd>
              </dl>
            </details>
          </li>
        ))}
      </ul>
      {pages > 1 && (
        <nav class="pager" aria-label="Pages of cases">
          {page > 1 && (
            <a rel="prev" href={path(page - 1)}>
              Cases before
            </a>
          )}
          <span class="quiet">
            {shown.length === 0 ? 'none here' : `${count(from + 1)} to ${count(from + shown.length)}`} of {count(cases.length)}
          </span>
          {page < pages && (
            <a rel="next" href={path(page + 1)}>
              Next cases
            </a>
          )}
        </nav>
      )}
    </>
  )
}

/** @param excerptAt where all of it is; then only the beginning is shown */
export function CaseText({ value, excerptAt, label }: { value: unknown; excerptAt?: string; label?: string }) {
  const text = JSON.stringify(value, undefined, 2)
  const isCut = excerptAt !== undefined && text.length > excerptCharacters
  const shown = isCut ? `${text.slice(0, excerptCharacters).toWellFormed()}…` : text
  return (
    <>
      <pre tabindex={0} {...(label === undefined ? {} : { role: 'group', 'aria-label': label })}>
        <code>{shown}</code>
      </pre>
      {isCut && <a href={excerptAt}>Show all {count(text.length)} characters</a>}
    </>
  )
}
