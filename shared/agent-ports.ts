// What the Worker asks of the world about agents; the rules of ports.ts apply.
import type { Agent, AgentVersion, DeployedAgent, Program, ProgramKind } from './agent.ts'
import type { FunctionReport } from './function-report.ts'
import type { Cut, Listed } from './ports.ts'
import type { ScriptMode } from './script-mode.ts'

export type AgentFilters = { kind?: ProgramKind | undefined; owner?: string | undefined; words?: string[] | undefined }

/** One version of an agent, as far as running it needs. */
export type RunnableAgent = { agentId: string; accountId: string; version: number; program: Program }

/** What preparing a program has told of it. `functions`: of a script that is compiled. */
export type PreparedVersion = { engine: string; functions?: FunctionReport | undefined }
/** `askedAt` is when the request first came: agent, program and that instant tell one request from another. */
export type NewVersion = PreparedVersion & {
  agentId: string
  sha256: string
  bytes: number
  scriptMode: ScriptMode | null
  askedAt: string
  at: string
}

export interface AgentStore {
  /** Writes the agent with its first version. @throws ProblemError `name-taken`, `quota-exceeded` */
  create(agent: Agent, prepared: PreparedVersion): Promise<void>
  /**
   * Once for each request, however often it is tried.
   * @returns the agent with the version that was added, as it was by the first try; undefined when there is no agent. @throws ProblemError `quota-exceeded`
   */
  addVersion(version: NewVersion): Promise<DeployedAgent | undefined>
  find(id: string): Promise<Agent | undefined>
  /** One version, and whose it is. */
  findVersion(id: string, version: number): Promise<(AgentVersion & { accountId: string }) | undefined>
  /** @param version the latest when absent */
  findRunnable(id: string, version?: number): Promise<RunnableAgent | undefined>
  /** Newest first. */
  list(page: AgentFilters & Cut): Promise<Listed<Agent>>
}
