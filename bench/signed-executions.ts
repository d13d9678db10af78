// What the load generator sends straight to a host: an execution with an id of its own each, signed as the Worker signs.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type autocannon from 'autocannon'
import { makeId } from '../shared/ids.ts'
import { startTimeDefault, type HostExecution } from '../shared/execution.ts'
import { signRequest } from '../sandbox-host/signature.ts'
import type { Deployed } from './fill-cloud.ts'

export const executionsPath = '/v1/executions'

/** A signature is for one host. */
export type HostAccess = { secret: string; host: string }

export async function hostAccess({ localDir, hostUrl }: { localDir: string; hostUrl: string }): Promise<HostAccess> {
  const { host } = (await (await fetch(`${hostUrl}/ready`)).json()) as { host: string }
  return { host, secret: JSON.parse(readFileSync(join(localDir, 'secrets.json'), 'utf8')).sandboxSecret }
}

type Signed = { body: string; headers: Record<string, string> }

export function signBody({ secret, host }: HostAccess, path: string, value: unknown): Signed {
  const body = JSON.stringify(value)
  const signature = signRequest({ secret, audience: `host ${host}`, method: 'POST', path, body: Buffer.from(body), now: Date.now() })
  return { body, headers: { 'content-type': 'application/json', ...signature } }
}

export function newId(kind: 'account' | 'agent' | 'case' | 'execution' | 'submission'): string {
  return makeId(kind, { at: Date.now(), random: crypto.getRandomValues(new Uint8Array(10)) })
}

export function signedExecution(access: HostAccess, { id: agentId, accountId, sha256 }: Deployed, input: unknown): Signed {
  const execution: HostExecution = {
    id: newId('execution'),
    agentId,
    accountId,
    version: 1,
    tier: 'basic',
    seed: 0,
    startTime: startTimeDefault,
    program: { kind: 'script', sha256 },
    input,
  }
  return signBody(access, executionsPath, execution)
}

export function signedExecutions(access: HostAccess, agent: Deployed, input: unknown): autocannon.Request {
  return {
    setupRequest(request) {
      const { body, headers } = signedExecution(access, agent, input)
      return { ...request, body, headers: { ...request.headers, ...headers } }
    },
  }
}
