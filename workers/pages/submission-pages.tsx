import { z } from 'zod'
import type { Bounty } from '../../shared/bounty.ts'
import type { Submission } from '../../shared/submission.ts'
import { answerStream } from '../event-stream.ts'
import { followSubmission } from '../flows/follow-submission.ts'
import { readSubmission } from '../flows/read-submission.ts'
import { readSubmissionReceipt } from '../flows/read-submission-receipt.ts'
import { agentRead, bountyRead, readPublic } from '../public-reads.ts'
import { idParameters } from '../routes/path-parameters.ts'
import type { Services } from '../services.ts'
import { Instant, State } from './elements.tsx'
import { count, countOf, fuel } from './figures.ts'
import { Layout } from './layout.tsx'
import type { PageRouter } from './page-router.tsx'
import { VerdictStrip, VerdictTable, type CaseVerdict } from './verdicts.tsx'

export function addSubmissionPages(pages: PageRouter, services: Services): void {
  const querySchema = z.strictObject({
    only: z.enum(['failed']).optional(),
    page: z.coerce.number().int().min(1).max(1_000).default(1),
  })

  pages.get(
    { path: '/submissions/{id}', access: 'account', params: idParameters('submission'), query: querySchema },
    async ({ caller: { accountId }, params: { id }, query: { only, page } }) => {
      const submission = await readSubmission(services, { id, accountId })
      const [bounty, agent] = await Promise.all([
        readPublic(services, bountyRead(services, submission.bountyId)),
        readPublic(services, agentRead(services, submission.agentId)),
      ])
      return <SubmissionPage {...{ submission, bounty, agentName: agent.name, only, page }} />
    },
  )

  // The calls of the API take keys only; these are the same events, and the same receipt, for whoever is signed in.
  pages.get(
    { path: '/submissions/{id}/events', access: 'account', params: idParameters('submission') },
    ({ c, caller: { accountId }, params: { id } }) =>
      answerStream(c, services, (from) => followSubmission(services, { id, accountId, from })),
  )

  pages.get(
    { path: '/submissions/{id}/receipt', access: 'account', params: idParameters('submission') },
    async ({ c, caller: { accountId }, params: { id } }) => {
      const receipt = await readSubmissionReceipt(services, { id, accountId })
      return c.json(receipt, 200, { 'content-disposition': `attachment; filename="${id}-receipt.json"` })
    },
  )
}

type SubmissionProps = { submission: Submission; bounty: Bounty; agentName: string; only: 'failed' | undefined; page: number }

function SubmissionPage({ submission, bounty, agentName, only, page }: SubmissionProps) {
  const { id, status, version, casesTotal, casesPassed, fuelTotal, engine, scriptMode, verdicts, failure, createdAt, finishedAt } =
    submission
  const isUnderWay = status === 'queued' || status === 'running'
  const verdictOf = new Map(verdicts.map((verdict) => [verdict.caseId, verdict]))
  const cases: CaseVerdict[] = bounty.cases.map((of) => ({ of, verdict: verdictOf.get(of.id) }))
  return (
    <Layout title={`${agentName} on ${bounty.title}`} section="account" follows={isUnderWay}>
      <p class="crumb">
        <a href={`/bounties/${bounty.id}`}>
          <bdi>{bounty.title}</bdi>
        </a>
      </p>
      <h1>
        <bdi>{agentName}</bdi> <span class="quiet">version {version}</span>
      </h1>
      <div id="outcome" data-live="" role="status">
        <p class="outcome" {...(isUnderWay ? { 'data-follow': `/submissions/${id}/events` } : {})}>
          <State of={status} />{' '}
          <span>
            <strong>{count(casesPassed)}</strong> of {countOf(casesTotal, 'case')} passed
          </span>
          {isUnderWay && <span class="quiet">{countOf(verdicts.length, 'public verdict')} so far</span>}
        </p>
        {failure !== null && <p>It could not be judged to the end: {failure}.</p>}
      </div>
      <section aria-labelledby="verdicts">
        <h2 id="verdicts">Verdicts</h2>
        <div id="strip" data-live="">
          <VerdictStrip cases={cases} />
        </div>
        {bounty.hiddenCaseCount > 0 && (
          <p class="quiet">
            {countOf(bounty.hiddenCaseCount, 'hidden case')} {bounty.hiddenCaseCount === 1 ? 'is' : 'are'} in the sums and nowhere else.
          </p>
        )}
        <div id="sums" data-live="">
          <dl class="properties">
            <dt>Fuel</dt>
            <dd>{fuel(fuelTotal)}</dd>
            <dt>Submitted</dt>
            <dd>
              <Instant at={createdAt} />
            </dd>
            {finishedAt !== null && (
              <>
                <dt>Finished</dt>
                <dd>
                  <Instant at={finishedAt} />
                </dd>
              </>
            )}
            {engine !== null && (
              <>
                <dt>Engine</dt>
                <dd>{engine}</dd>
              </>
            )}
            {scriptMode && (
              <>
                <dt>Mode</dt>
                <dd>{scriptMode}</dd>
              </>
            )}
            {!isUnderWay && (
              <>
                <dt>Receipt</dt>
                <dd>
                  <a href={`/submissions/${id}/receipt`}>What the host signed, as JSON</a>
                </dd>
              </>
            )}
          </dl>
        </div>
      </section>
      <section aria-labelledby="by-case">
        <h2 id="by-case">Case by case</h2>
        <div id="table" data-live="">
          <VerdictTable submissionId={id} bountyId={bounty.id} cases={cases} only={only} page={page} />
        </div>
      </section>
    </Layout>
  )
}
