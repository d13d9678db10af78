// An agent with one version, of a script, for tests of stores that are about something else.
import { randomBytes } from 'node:crypto'
import type { Agent } from '../../shared/agent.ts'
import { idOf } from './id-of.ts'

type ScriptAgent = Pick<Agent, 'accountId' | 'createdAt'> & Partial<Agent>

export function scriptAgent({ createdAt, ...more }: ScriptAgent): Agent {
  return {
    id: idOf('agent'),
    name: `agent-${randomBytes(6).toString('hex')}`,
    kind: 'script',
    scriptMode: 'interpreted',
    version: 1,
    sha256: '0'.repeat(64),
    bytes: 7,
    createdAt,
    updatedAt: createdAt,
    ...more,
  }
}
