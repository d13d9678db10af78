// Ours in the comparison with peers: the host alone, asked as the Worker asks it, and the whole way through the Worker's direct socket. The endless loop
// is another account's, as a stranger's would be.
import { z } from 'zod'
import { judgementLineSchema } from '../shared/execution.ts'
import { submissionSummarySchema } from '../shared/submission.ts'
import { tiers } from '../shared/tiers.ts'
import type { Answer, Contender, Guarantees } from './contender.ts'
import { deployAgent, post, type Deployed } from './fill-cloud.ts'
import type { LocalCloud } from './local-cloud.ts'
import { peerCases, peerProgramNames, type PeerProgramName, type PeerPrograms } from './peers/peer-programs.ts'
import { executionsPath, hostAccess, newId, signBody, signedExecution, signedExecutions } from './signed-executions.ts'

const guarantees: Guarantees = {
  'memory limit': { holds: true, how: 'each run' },
  'CPU limit': { holds: true, how: 'fuel, and a deadline' },
  'isolation between runs': { holds: true, how: 'an instance a run' },
  determinism: { holds: true, how: 'virtual clock, seed, fuel; a receipt' },
  'durable result': { holds: true, how: 'fsynced before the answer' },
}

const pollEveryMs = 10

/** Of the programs on our cloud, by whom they belong to. */
type Agents = Record<PeerProgramName, { agent: Deployed; key: string }>

/** @param expected outputs of the cases, JSON texts in their order */
export async function ourContenders(cloud: LocalCloud, { programs, expected }: { programs: PeerPrograms; expected: string[] }) {
  const { key: strangersKey } = await createStranger(cloud)
  const deploy = async (name: PeerProgramName, key: string) => ({
    agent: await deployAgent({ ...cloud, demoKey: key }, { name, source: programs[name] }),
    key,
  })
  const [noop, task, markdown, loop] = await Promise.all(
    peerProgramNames.map((name) => deploy(name, name === 'loop' ? strangersKey : cloud.demoKey)),
  )
  if (!noop || !task || !markdown || !loop) throw new Error('a program was not deployed')
  const agents = { noop, task, markdown, loop }
  return [await hostContender(cloud, { agents, expected }), await workerContender(cloud, { agents, expected })]
}

function createStranger(cloud: LocalCloud): Promise<{ key: string }> {
  return post<{ key: string }>({ ...cloud, demoKey: cloud.adminKey }, '/accounts', { name: 'stranger', rateLimited: false })
}

type Setting = { agents: Agents; expected: string[] }

function base(cloud: LocalCloud) {
  return {
    version: 'this commit',
    isOurs: true,
    guarantees,
    cannotRun: {},
    wallMsMax: tiers.basic.wallMsMax,
    // Other programs than the honest ones do not come to an end in it, and it answers 200 for them too.
    isRight: (body: string) => body.includes('"status":"completed"'),
    pid: () => cloud.processes()['host'] ?? 0,
    restart: () => Promise.resolve(),
    stop: () => Promise.resolve(),
  }
}

async function hostContender(cloud: LocalCloud, { agents, expected }: Setting): Promise<Contender> {
  const access = await hostAccess(cloud)
  return {
    ...base(cloud),
    name: 'ours: host',
    load: (program, input) => ({
      url: `${cloud.hostUrl}${executionsPath}`,
      method: 'POST',
      requests: [signedExecutions(access, agents[program].agent, input)],
    }),
    async ask(program, input, signal) {
      const signed = signedExecution(access, agents[program].agent, input)
      const response = await fetch(`${cloud.hostUrl}${executionsPath}`, { method: 'POST', ...signed, signal: signal ?? null })
      return answerOf(response, z.object({ status: z.string(), output: z.string().optional() }), ({ output }) => output)
    },
    async judge() {
      const cases = peerCases.map(({ input }, at) => ({
        id: newId('case'),
        input,
        expected: JSON.parse(expected[at] ?? 'null'),
        salt: '0'.repeat(32),
      }))
      const { id: agentId, accountId, sha256 } = agents.markdown.agent
      const path = '/v1/judgements'
      const began = performance.now()
      const signed = signBody(access, path, {
        submissionId: newId('submission'),
        program: { kind: 'script', sha256 },
        accountId,
        tier: 'basic',
        cases,
      })
      const text = await (await fetch(`${cloud.hostUrl}${path}`, { method: 'POST', ...signed })).text()
      const ms = performance.now() - began
      const lines = text.split('\n').filter(Boolean)
      const verdicts = lines.map((line) => judgementLineSchema.parse(JSON.parse(line))).filter((line) => line.type === 'verdict')
      const byCase = new Map(verdicts.map(({ caseId, outputSha256 }) => [caseId, outputSha256 ?? 'none']))
      if (byCase.size !== cases.length) throw new Error(`the host judged ${byCase.size} cases of agent ${agentId}: ${text.slice(-500)}`)
      return { ms, outputSha256: cases.map(({ id }) => byCase.get(id) ?? 'none') }
    },
  }
}

async function workerContender(cloud: LocalCloud, { agents, expected }: Setting): Promise<Contender> {
  const headersOf = (program: PeerProgramName) => ({
    authorization: `Bearer ${agents[program].key}`,
    'content-type': 'application/json',
  })
  const urlOf = (program: PeerProgramName) => `${cloud.directUrl}/api/agents/${agents[program].agent.id}/executions`
  const bounty = await post<{ id: string }>(cloud, '/bounties', {
    title: 'Render CommonMark',
    description: 'The cases of the comparison with peers.',
    rewardCredits: 1,
    // It stays open however many pass.
    mode: 'best',
    tier: 'basic',
    cases: peerCases.map(({ name, input }, at) => ({ name, input, expected: JSON.parse(expected[at] ?? 'null') })),
  })
  const direct = { ...cloud, baseUrl: cloud.directUrl }
  return {
    ...base(cloud),
    name: 'ours: through the Worker',
    load: (program, input) => ({ url: urlOf(program), method: 'POST', headers: headersOf(program), body: JSON.stringify({ input }) }),
    async ask(program, input, signal) {
      const init = { method: 'POST', headers: headersOf(program), body: JSON.stringify({ input }), signal: signal ?? null }
      const response = await fetch(urlOf(program), init)
      return answerOf(response, z.object({ status: z.string(), output: z.unknown().optional() }), ({ output }) => JSON.stringify(output))
    },
    async judge() {
      const began = performance.now()
      const { id } = await post<{ id: string }>(direct, `/bounties/${bounty.id}/submissions`, { agentId: agents.markdown.agent.id })
      for (;;) {
        const response = await fetch(`${cloud.directUrl}/api/submissions/${id}`, { headers: headersOf('markdown') })
        const { status, casesPassed, failure } = submissionSummarySchema.parse(await response.json())
        // JSON equality with what is expected is what the hosts' verdicts say; hashes of outputs do not leave it.
        if (status === 'accepted') return { ms: performance.now() - began, outputSha256: [] }
        if (status === 'rejected' || status === 'failed') throw new Error(`${casesPassed} cases passed: ${failure}`)
        await new Promise((resolve) => setTimeout(resolve, pollEveryMs))
      }
    },
  }
}

async function answerOf<T extends { status: string }>(
  response: Response,
  schema: z.ZodType<T>,
  outputOf: (outcome: T) => string | undefined,
): Promise<Answer> {
  const text = await response.text()
  if (!response.ok) return { kind: 'refused', why: `${response.status}: ${text.slice(0, 200)}` }
  const outcome = schema.parse(JSON.parse(text))
  const output = outcome.status === 'completed' ? outputOf(outcome) : undefined
  return output === undefined ? { kind: 'ended', why: outcome.status } : { kind: 'output', text: output }
}
