// Agents are programs that strangers deploy. An agent is a name with versions; a version is immutable and known by its SHA-256.
import { z } from 'zod'
import { idSchema } from './ids.ts'

export const programKinds = ['script', 'command', 'component'] as const
export const programKindSchema = z.enum(programKinds).meta({
  description:
    'script: one TypeScript or JavaScript module; command: a WASI preview 1 program (input on stdin, output on stdout); ' +
    'component: a WASI 0.2 component that exports `run: func(input: string) -> result<string, string>`',
})
export type ProgramKind = z.infer<typeof programKindSchema>

export const agentNameSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'must be 1 to 64 of a-z 0-9 . _ - and begin with a letter or digit')
  .meta({ description: 'Unique within the account', example: 'word-count' })

/** Counted in an `integer` column. */
export const versionSchema = z
  .number()
  .int()
  .min(1)
  .max(2 ** 31 - 1)

const sourceSchema = z.string().min(1).meta({
  description: 'The program: source text of a script; base64 of the bytes of a command or a component',
  example: 'export default ({ text }: { text: string }) => text.split(" ").length',
})

export const agentCreateSchema = z.strictObject({ name: agentNameSchema, kind: programKindSchema, source: sourceSchema })
export type AgentCreate = z.infer<typeof agentCreateSchema>

export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/)

/** A program as both sides of the system name it: its kind and the SHA-256 of the bytes that were uploaded. */
export const programSchema = z.strictObject({ kind: programKindSchema, sha256: sha256Schema })
export type Program = z.infer<typeof programSchema>

/** Key of a program's bytes in the bucket. */
export function programKey(sha256: string): string {
  return `programs/${sha256}`
}

export const agentSchema = z.object({
  id: idSchema('agent'),
  accountId: idSchema('account'),
  name: agentNameSchema,
  kind: programKindSchema,
  version: versionSchema.meta({ description: 'Latest version' }),
  sha256: sha256Schema.meta({ description: 'Of the latest version as uploaded' }),
  bytes: z.number().int(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
})
export type Agent = z.infer<typeof agentSchema>
