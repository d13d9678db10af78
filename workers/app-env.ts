// What travels with a request through Hono's context.

export type AppEnv = { Variables: { requestId: string } }
