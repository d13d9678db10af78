// Deploys a program: bytes into the bucket under their hash, prepared by the host, and only then a row. A failure leaves at worst bytes that
// nobody names, and the same deploy again repairs it.
import { limits } from '../../shared/tiers.ts'
import { scriptModeOf } from '../../shared/agent.ts'
import type { AgentCreate, AgentVersion, DeployedAgent, Program, ProgramKind } from '../../shared/agent.ts'
import { ProblemError } from '../../shared/problem.ts'
import { quotaExceeded } from '../../shared/quotas.ts'
import type { ScriptMode } from '../../shared/script-mode.ts'
import { FilePart } from '../multipart.ts'
import { sha256Hex } from '../hex.ts'
import type { Attempt } from '../idempotency.ts'
import { invalidRequest } from '../request-issues.ts'
import type { Services } from '../services.ts'

/** As JSON has it, or as it was uploaded. */
export type ProgramSource = string | FilePart
export type NewAgent = Omit<AgentCreate, 'source'> & { source: ProgramSource }

export async function deployAgent(
  services: Services,
  { accountId, agent, attempt }: { accountId: string; agent: NewAgent; attempt: Attempt },
): Promise<DeployedAgent> {
  const id = attempt.newId('agent')
  const deployed = attempt.isRetry ? await services.agents.find(id) : undefined
  if (deployed) return { ...deployed, functions: (await services.agents.findVersion(id, deployed.version))?.functions ?? null }
  // The store has the last word; this keeps what could not become an agent out of the bucket and away from the compiler.
  const { agents = 0 } = (await services.accounts.findPage(accountId))?.used ?? {}
  if (agents >= limits.agentsPerAccountMax) throw quotaExceeded('agents', limits.agentsPerAccountMax)
  const { program, bytes, engine, functions } = await prepareProgram(services, { ...agent, accountId })
  const at = services.now()
  const createdAt = new Date(at).toISOString()
  const { name, kind } = agent
  const created = {
    id,
    accountId,
    name,
    kind,
    version: 1,
    sha256: program.sha256,
    bytes,
    scriptMode: scriptModeOf(program),
    createdAt,
    updatedAt: createdAt,
  }
  await services.agents.create(created, { engine, functions })
  await services.reads.forget('agents')
  services.log.info('agent deployed', { agentId: created.id, accountId, ...program, bytes })
  return { ...created, functions: functions ?? null }
}

type NewVersion = Pick<NewAgent, 'source' | 'scriptMode'>

export async function deployVersion(
  services: Services,
  { accountId, agentId, source, scriptMode, attempt }: NewVersion & { accountId: string; agentId: string; attempt: Attempt },
): Promise<DeployedAgent> {
  const agent = await services.agents.find(agentId)
  if (!agent) throw agentNotFound(agentId)
  if (agent.accountId !== accountId) throw new ProblemError('forbidden', { detail: `agent ${agentId} belongs to another account` })
  const isFull = agent.version >= limits.versionsPerAgentMax
  if (isFull && !attempt.isRetry) throw quotaExceeded(`versions of agent ${agentId}`, limits.versionsPerAgentMax)
  const { program, bytes, engine, functions } = await prepareProgram(services, { kind: agent.kind, source, scriptMode, accountId })
  const at = new Date(services.now()).toISOString()
  const prepared = { sha256: program.sha256, bytes, engine, scriptMode: scriptModeOf(program), functions }
  const changed = await services.agents.addVersion({ agentId, ...prepared, askedAt: attempt.firstAt, at })
  if (!changed) throw agentNotFound(agentId)
  services.runnable.delete(agentId)
  await services.reads.forget('agents')
  services.log.info('agent version deployed', { agentId, accountId, version: changed.version, ...program, bytes })
  return changed
}

/** A version of an agent of the account's own: names of functions are part of its source. @throws ProblemError `agent-not-found`, `forbidden` */
export async function readVersion(
  { agents }: Services,
  { id, version, accountId }: { id: string; version: number; accountId: string },
): Promise<AgentVersion> {
  const found = await agents.findVersion(id, version)
  if (!found) throw agentNotFound(id, version)
  const { accountId: owner, ...shown } = found
  if (owner !== accountId) throw new ProblemError('forbidden', { detail: `agent ${id} belongs to another account` })
  return shown
}

export function agentNotFound(id: string, version?: number): ProblemError {
  const detail = version === undefined ? `there is no agent ${id}` : `agent ${id} has no version ${version}`
  return new ProblemError('agent-not-found', { detail })
}

type NewProgram = { kind: ProgramKind; source: ProgramSource; scriptMode?: ScriptMode | undefined; accountId: string }

/** Longer than any deploy: until then its row names the bytes, or it is over. */
export const holdMs = 86_400_000

async function prepareProgram({ artifacts, sandbox, programClaims, now }: Services, { kind, source, scriptMode, accountId }: NewProgram) {
  if (scriptMode !== undefined && kind !== 'script') {
    throw invalidRequest([{ field: 'scriptMode', message: `is ${JSON.stringify(scriptMode)}; a ${kind} has none, it is for scripts` }])
  }
  const bytes = bytesOf(source, kind)
  if (bytes.length > limits.programBytesMax) {
    throw new ProblemError('body-too-large', {
      detail: `the program is ${bytes.length} bytes; at most ${limits.programBytesMax} are allowed`,
    })
  }
  const sha256 = source instanceof FilePart ? source.sha256 : await sha256Hex(bytes)
  const wanted: Program = { kind, sha256, ...(scriptMode === undefined ? {} : { scriptMode }) }
  const at = now()
  // Before the bytes are looked for: from here on no sweep deletes them.
  const time = { at: new Date(at).toISOString(), until: new Date(at + holdMs).toISOString() }
  if (!(await programClaims.hold(sha256, time))) {
    throw new ProblemError('artifacts-unavailable', {
      detail: 'these bytes were unused and are being deleted just now; the request may be repeated',
      retryAfterSeconds: 5,
    })
  }
  await artifacts.putProgram(sha256, bytes)
  // From here on the version has the mode that the host gave it.
  const { program, engine, functions } = await sandbox.prepare(wanted, { accountId, isNew: true })
  return { program: { ...wanted, scriptMode: program.scriptMode }, bytes: bytes.length, engine, functions }
}

function bytesOf(source: ProgramSource, kind: ProgramKind): Uint8Array<ArrayBuffer> {
  if (source instanceof FilePart) {
    if (kind === 'script') requireText(source.bytes)
    return source.bytes
  }
  // `encode` makes its own ArrayBuffer, whatever the platform's types say.
  return kind === 'script' ? (new TextEncoder().encode(source) as Uint8Array<ArrayBuffer>) : decodeBase64(source, kind)
}

function requireText(bytes: Uint8Array): void {
  try {
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes)
  } catch {
    throw invalidRequest([{ field: 'source', message: `is a file of ${bytes.length} bytes that are not UTF-8; a script is text` }])
  }
}

function decodeBase64(text: string, kind: ProgramKind): Uint8Array<ArrayBuffer> {
  let binary: string
  try {
    binary = atob(text)
  } catch {
    throw invalidRequest([
      { field: 'source', message: `has ${text.length} characters that are not base64; a ${kind} is given as the base64 of its bytes` },
    ])
  }
  if (binary.length === 0)
    throw invalidRequest([{ field: 'source', message: `is the base64 of nothing; a ${kind} is given as the base64 of its bytes` }])
  const bytes = new Uint8Array(binary.length)
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i)
  return bytes
}
