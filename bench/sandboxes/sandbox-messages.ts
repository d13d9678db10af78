// What a measurement and the process of a sandbox say to each other.
import { z } from 'zod'

export const programsMessage = z.strictObject({
  type: z.literal('load'),
  programs: z.array(z.strictObject({ name: z.string(), source: z.string(), input: z.string() })),
})
export const turnMessage = z.strictObject({ type: z.literal('turn'), names: z.array(z.string()) })

export const fromSandbox = z.discriminatedUnion('type', [
  /** Names of programs that it cannot run, with the reason. */
  z.strictObject({ type: z.literal('loaded'), refused: z.record(z.string(), z.string()) }),
  z.strictObject({
    type: z.literal('sampled'),
    samples: z.array(z.strictObject({ name: z.string(), startMs: z.number(), runMs: z.number(), output: z.string() })),
  }),
])
export type FromSandbox = z.infer<typeof fromSandbox>
export type Sampled = Extract<FromSandbox, { type: 'sampled' }>['samples'][number]
