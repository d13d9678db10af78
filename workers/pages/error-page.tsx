// An error as a page: what happened, what can be done, and the id that finds it in our log. Never what is inside.
import { problemTable, type ProblemError } from '../../shared/problem.ts'
import { Layout } from './layout.tsx'
import { SignInForm } from './sign-in-form.tsx'

export function ErrorPage({ problem, requestId }: { problem: ProblemError; requestId: string }) {
  const { status, title } = problemTable[problem.code]
  const isSignIn = problem.code === 'missing-key'
  return (
    <Layout title={isSignIn ? 'Sign in' : title} section={isSignIn ? 'account' : undefined}>
      <article class="problem" data-code={problem.code}>
        <p class="status">{status}</p>
        <h1>{isSignIn ? 'Sign in to see this' : title}</h1>
        <p class="detail">{isSignIn ? 'This belongs to an account. Sign in with a key of it.' : problem.detail}</p>
        {problem.retryAfterSeconds !== undefined && <p>Try again in {problem.retryAfterSeconds} s.</p>}
        {isSignIn ? <SignInForm /> : <a href="/">To the bounties</a>}
        {status >= 500 && (
          <p class="quiet">
            Request <code>{requestId}</code>
          </p>
        )}
      </article>
    </Layout>
  )
}
