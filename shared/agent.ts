// Agents are programs that strangers deploy. An agent is a name with versions; a version is immutable and known by its SHA-256.
import { z } from 'zod'
import { functionReportSchema } from './function-report.ts'
import { idSchema } from './ids.ts'
import { pageQuerySchema } from './page.ts'
import { scriptModeSchema, type ScriptMode } from './script-mode.ts'
import { searchQuerySchema } from './search-words.ts'

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
export const versionMax = 2 ** 31 - 1
export const versionSchema = z.number().int().min(1).max(versionMax)

const sourceSchema = z.string().min(1).meta({
  description: 'The program: source text of a script; base64 of the bytes of a command or a component',
  example: 'export default ({ text }: { text: string }) => text.split(" ").length',
})

const wantedModeSchema = scriptModeSchema.optional().meta({
  description: 'How the version runs, of a script: `interpreted`, or `compiled` where a host compiles; a host decides when it is absent',
})

export const agentCreateSchema = z.strictObject({
  name: agentNameSchema,
  kind: programKindSchema,
  source: sourceSchema,
  scriptMode: wantedModeSchema,
})
export type AgentCreate = z.infer<typeof agentCreateSchema>

/** Body of POST /agents/:id/versions. */
export const versionCreateSchema = z.strictObject({ source: sourceSchema, scriptMode: wantedModeSchema })

export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/)

/**
 * A program as both sides of the system name it: its kind, the SHA-256 of the bytes that were uploaded and, of a script, how it runs; without
 * that it is interpreted, as all were before there was a compiler.
 */
export const programSchema = z.strictObject({ kind: programKindSchema, sha256: sha256Schema, scriptMode: scriptModeSchema.optional() })
export type Program = z.infer<typeof programSchema>

/** As it stands in what is signed. */
export function statedProgram({ kind, sha256, scriptMode }: Program): Program {
  return { kind, sha256, ...(scriptMode === undefined ? {} : { scriptMode }) }
}

/** null: it is no script. */
export function scriptModeOf({ kind, scriptMode = 'interpreted' }: Program): ScriptMode | null {
  return kind === 'script' ? scriptMode : null
}

/** Key of a program's bytes in the bucket. */
export function programKey(sha256: string): string {
  return `programs/${sha256}`
}

/** Query of GET /agents. */
export const agentListQuerySchema = pageQuerySchema.extend({
  kind: programKindSchema.optional(),
  owner: idSchema('account').optional().describe('Agents of this account'),
  q: searchQuerySchema.optional(),
})

export const agentSchema = z.object({
  id: idSchema('agent'),
  accountId: idSchema('account'),
  name: agentNameSchema,
  kind: programKindSchema,
  version: versionSchema.meta({ description: 'Latest version' }),
  sha256: sha256Schema.meta({ description: 'Of the latest version as uploaded' }),
  bytes: z.number().int(),
  scriptMode: scriptModeSchema.nullable().meta({ description: 'How the latest version runs; null: it is no script' }),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
})
export type Agent = z.infer<typeof agentSchema>

const functionsSchema = functionReportSchema.nullable().meta({
  description: 'What became of the functions of a script that runs compiled; null of all else',
})

/** The answer to a deploy. */
export const deployedAgentSchema = agentSchema.extend({ functions: functionsSchema })
export type DeployedAgent = z.infer<typeof deployedAgentSchema>

/** One version, as its owner sees it: names of functions are part of the source. */
export const agentVersionSchema = z.object({
  agentId: idSchema('agent'),
  version: versionSchema,
  kind: programKindSchema,
  sha256: sha256Schema,
  bytes: z.number().int(),
  scriptMode: scriptModeSchema.nullable(),
  functions: functionsSchema,
  engine: z.string().meta({ description: 'Engine and version that it was prepared with when it was deployed' }),
  createdAt: z.iso.datetime(),
})
export type AgentVersion = z.infer<typeof agentVersionSchema>
