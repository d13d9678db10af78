// What the platform's performance sheet promised: the tables that ours are printed beside. They were measured with mocked services and on
// other hardware; that is said wherever they are shown.

export type Promised = { connections: number; p50Ms: number; p95Ms: number; p99Ms: number; perSecond: number }

export const apiPromises = {
  health: { connections: 100, p50Ms: 2, p95Ms: 8, p99Ms: 15, perSecond: 8_500 },
  ready: { connections: 100, p50Ms: 3, p95Ms: 10, p99Ms: 18, perSecond: 7_800 },
  metrics: { connections: 50, p50Ms: 5, p95Ms: 15, p99Ms: 25, perSecond: 4_200 },
  bounties: { connections: 50, p50Ms: 12, p95Ms: 35, p99Ms: 55, perSecond: 2_100 },
  agents: { connections: 50, p50Ms: 10, p95Ms: 28, p99Ms: 45, perSecond: 2_400 },
  leaderboard: { connections: 50, p50Ms: 8, p95Ms: 22, p99Ms: 38, perSecond: 2_800 },
  execution: { connections: 50, p50Ms: 45, p95Ms: 120, p99Ms: 180, perSecond: 850 },
} satisfies Record<string, Promised>

export const sustainedPromise = {
  seconds: 600,
  connections: 20,
  requests: 1_200_000,
  perSecond: 2_000,
  p50Ms: 4,
  p95Ms: 12,
  p99Ms: 22,
  growthMiB: 50,
}

/** The same work in QuickJS and in Wasmtime, ms. */
export const workloadPromises: Record<string, { quickjsMs: number; wasmtimeMs: number }> = {
  arithmetic: { quickjsMs: 15, wasmtimeMs: 5 },
  nested: { quickjsMs: 22, wasmtimeMs: 6 },
  fibonacci: { quickjsMs: 35, wasmtimeMs: 10 },
  objects: { quickjsMs: 18, wasmtimeMs: 6 },
  strings: { quickjsMs: 12, wasmtimeMs: 4 },
}

/** Of ten instances that live 60 s. */
export const poolPromise = {
  startMs: { cold: 45, warm: 2 },
  firstExecutionMs: { cold: 50, warm: 5 },
  perSecond: { cold: 20, warm: 200 },
  fiftyMs: 250,
}
