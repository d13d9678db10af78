// A sandbox host whose programs are functions: the source of a script is looked up in `programs`. What it ran it remembers until it is
// told to hand it over, like the real one.
import { createHash } from 'node:crypto'
import { artifactKey, bundledArtifactBytesMax, bundleKey, outcomeOf } from '../../shared/execution.ts'
import type { ExecutionRecord, Verdict } from '../../shared/execution.ts'
import type { FunctionReport } from '../../shared/function-report.ts'
import type { Sandbox } from '../../shared/ports.ts'
import { jsonEquals } from '../../shared/json-equals.ts'
import { ProblemError } from '../../shared/problem.ts'
import type { ScriptMode } from '../../shared/script-mode.ts'
import { checkOutput } from '../../sandbox-host/check-output.ts'
import { keyOfSeed } from '../../sandbox-host/receipt-key.ts'
import { emptyOutcome, type AcceptedOutcome } from '../../sandbox-host/run-outcome.ts'
import { createJudgementSigner } from '../../sandbox-host/sign-judgement.ts'
import { streamOf } from './stream-of.ts'

export type Program = (input: unknown) => { output: unknown; artifacts?: Record<string, string> }

export type FakeSandbox = Sandbox & {
  /** By the text of the script. */
  programs: Map<string, Program>
  records: Map<string, ExecutionRecord>
  bundle: Buffer
  /** Artifacts that are objects of their own, by key. */
  objects: Map<string, Buffer>
  /** Of new versions whose author leaves it to the host. */
  newMode: ScriptMode
  failure: ProblemError | undefined
  runs: number
  /** What the next asynchronous runs break off with after they were begun. */
  brokenOff: ProblemError | undefined
  /** Ids that it was told to stop. */
  cancelled: Set<string>
  /** Cases per judgement, in order. */
  judged: number[]
  /** Cases of a judgement after which the host dies. */
  judgedMax: number | undefined
}

const bundleName = 'fake-host/000000000001'
const usage = { fuel: 100, wallMicros: 50, memoryBytesPeak: 65_536 }
const engineOf = ({ scriptMode }: { scriptMode?: ScriptMode | undefined }) => (scriptMode === 'compiled' ? 'fake-1+compiled' : 'fake-1')
/** Of every program that is compiled. */
export const fakeFunctions: FunctionReport = {
  compiled: 2,
  interpretedCount: 1,
  interpreted: [{ name: 'walk', place: 'agent.ts:3:1', reason: 'it is a generator' }],
  reason: null,
}
const signingKey = keyOfSeed('07'.repeat(32))
export const fakeReceiptKey = { id: signingKey.id, publicKey: signingKey.publicKey }
const signJudgement = createJudgementSigner(signingKey, () => Date.parse('2026-11-23T12:00:00.000Z'))

export function fakeSandbox(): FakeSandbox {
  function program(sha256: string): Program {
    for (const [source, found] of sandbox.programs) if (hashOf(source) === sha256) return found
    throw new ProblemError('invalid-program', { detail: '1:1: the fake sandbox does not know this program' })
  }
  function begin() {
    if (sandbox.failure) throw sandbox.failure
  }

  const sandbox: FakeSandbox = {
    programs: new Map<string, Program>(),
    records: new Map<string, ExecutionRecord>(),
    bundle: Buffer.alloc(0),
    objects: new Map<string, Buffer>(),
    newMode: 'interpreted',
    failure: undefined,
    runs: 0,
    brokenOff: undefined,
    cancelled: new Set(),
    judged: [],
    judgedMax: undefined,
    async prepare(asked, { isNew }) {
      begin()
      program(asked.sha256)
      const prepared = isNew && asked.kind === 'script' ? { scriptMode: sandbox.newMode, ...asked } : asked
      const told = prepared.scriptMode === 'compiled' ? { functions: fakeFunctions } : {}
      return { program: prepared, engine: engineOf(prepared), prepareMicros: 1, snapshotBytes: 0, ...told }
    },
    async run(execution) {
      const record = await sandbox.runAsync(execution)
      return { status: record.status, outcome: JSON.stringify(outcomeOf(record)) }
    },
    async runAsync({ input, ...execution }) {
      begin()
      if (sandbox.cancelled.has(execution.id)) throw new ProblemError('execution-cancelled', { detail: 'it was cancelled' })
      if (sandbox.brokenOff) throw sandbox.brokenOff
      const known = sandbox.records.get(execution.id)
      if (known) return known
      sandbox.runs++
      const { output, artifacts = {} } = program(execution.program.sha256)(input)
      const stored = Object.entries(artifacts).map(([name, text], position) => {
        const bytes = Buffer.from(text)
        const facts = { name, bytes: bytes.length, sha256: hashOf(text) }
        if (bytes.length > bundledArtifactBytesMax) {
          const object = artifactKey({ host: 'fake-host', execution: execution.id, position })
          sandbox.objects.set(object, bytes)
          return { ...facts, object }
        }
        const offset = sandbox.bundle.length
        sandbox.bundle = Buffer.concat([sandbox.bundle, bytes])
        return { ...facts, bundle: bundleName, offset }
      })
      const record: ExecutionRecord = {
        ...execution,
        status: 'completed',
        output: JSON.stringify(output),
        logs: { stdout: '', stderr: '', truncated: false },
        artifacts: stored,
        usage: { ...usage, costMicroUsd: 2.5 },
        engine: engineOf(execution.program),
        finishedAt: '2026-11-23T12:00:00.000Z',
        receipt: null,
      }
      sandbox.records.set(record.id, record)
      return record
    },
    async cancel(id) {
      begin()
      sandbox.cancelled.add(id)
    },
    async judge({ cases, ...rest }, keep) {
      begin()
      sandbox.judged.push(cases.length)
      const run = program(rest.program.sha256)
      const engine = engineOf(rest.program)
      const checker = rest.checker && program(rest.checker.sha256)
      const verdicts = new Map<string, Verdict>()
      const parsed = cases.map((judged) => ({ ...judged, input: JSON.parse(judged.input), expected: JSON.parse(judged.expected) }))
      const ended = (notRun: string[]) => ({ notRun, receipt: signJudgement({ request: { ...rest, cases: parsed }, engine, verdicts }) })
      for (const [i, { id, input, expected, hidden }] of parsed.entries()) {
        if (sandbox.judgedMax === i) throw new ProblemError('judgement-broken-off', { detail: 'the fake host died' })
        const output = JSON.stringify(run(input).output)
        const { status, message } = checker
          ? await checkOutput(async (asked) => guestOutcome(checker, asked), {
              input: JSON.stringify(input),
              expected: JSON.stringify(expected),
              output,
            })
          : { status: jsonEquals(JSON.parse(output), expected) ? ('accepted' as const) : ('wrong-answer' as const), message: undefined }
        const told = message === undefined || hidden ? {} : { message }
        const verdict = { caseId: id, status, usage, outputSha256: hashOf(output), ...told }
        verdicts.set(id, verdict)
        await keep({ engine, verdicts: [verdict] })
        if (rest.stopAtFirstFailure && status !== 'accepted') return ended(cases.slice(i + 1).map((judged) => judged.id))
      }
      return ended([])
    },
    async findExecution(id) {
      begin()
      return sandbox.records.get(id)
    },
    async readObject(key, { offset, length }) {
      begin()
      const bytes = key === bundleKey(bundleName) ? sandbox.bundle : sandbox.objects.get(key)
      return bytes && streamOf(bytes.subarray(offset, offset + length))
    },
    async ping() {
      begin()
    },
    async metrics() {
      begin()
      return '# TYPE bounty_host_runs_total counter\nbounty_host_runs_total 7\n'
    },
  }
  return sandbox
}

/** A program that throws ends so. */
function guestOutcome(run: Program, input: string): AcceptedOutcome {
  const empty = emptyOutcome('threw', 'it threw')
  try {
    return { ...empty, status: 'completed', output: JSON.stringify(run(JSON.parse(input)).output) }
  } catch {
    return empty
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
