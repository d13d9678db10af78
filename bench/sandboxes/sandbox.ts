// A sandbox that is measured: it loads programs once, as a deploy would, and runs each in an instance of its own (or says that it does not).

export type SandboxProgram = {
  name: string
  /** An ES module whose default export takes the input. */
  source: string
  /** JSON text. */
  input: string
}

/**
 * What `startMs` and `runMs` are is the same for all: together they are what a caller waits, from having the input to having the output. The
 * run is the guest's own work (JSON in and out included), the start is everything else. Teardown is not counted.
 */
export type SandboxSample = { startMs: number; runMs: number; output: string }

export type Sandbox = {
  /** Throws when there is no such program for it. */
  load(program: SandboxProgram): Promise<void>
  sample(program: SandboxProgram): Promise<SandboxSample>
  close?(): void
}

/** @returns what `work` gives, and how long it took */
export function timed<T>(work: () => T): { value: T; ms: number } {
  const began = performance.now()
  const value = work()
  return { value, ms: performance.now() - began }
}
