// What travels with a request through Hono's context.

import type { QuickAnswer } from './quick-answers.ts'

export type AppEnv = {
  Variables: {
    requestId: string
    /** Of the answer, whatever it will be: see envelope.ts. */
    answerHeaders: Record<string, string>
    isSealed?: boolean
    /** How the same may be answered again, should it be 200: see quick-answers.ts. */
    quickAnswer?: QuickAnswer
  }
}
