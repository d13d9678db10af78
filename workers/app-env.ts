// What travels with a request through Hono's context.

export type AppEnv = {
  Variables: {
    requestId: string
    /** Of the answer, whatever it will be: see envelope.ts. */
    answerHeaders: Record<string, string>
    isSealed?: boolean
  }
}
