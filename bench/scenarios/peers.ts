// The same work at whole systems: ours, and what one would set up instead. Each is a server that runs strangers' programs on request; what each guarantees
// stands beside its speed. Everybody has a turn in every round, and everybody's outputs are compared with Node's before anything counts.
import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { guaranteeNames, type Contender, type Judged } from '../contender.ts'
import { hostileRound, honestConnections, type HostileRound } from '../hostile-round.ts'
import { latencyAt, load, percentiles, type LoadRound } from '../load.ts'
import { withLocalCloud } from '../local-cloud.ts'
import { ourContenders } from '../our-contenders.ts'
import { bestPeer, timesBest, type Ranked } from '../peer-standing.ts'
import { judgedAtOnce, peerKinds, startContender } from '../peers/peer-list.ts'
import { peerCases, peerPrograms, taskInput, writePeerPrograms, type PeerProgramName, type PeerPrograms } from '../peers/peer-programs.ts'
import type { BenchRun, Chart, Figure, ScenarioResult, Table } from '../scenario.ts'
import { showRatio } from '../show-ratio.ts'
import { median } from '../statistics.ts'
import { showNumber } from '../text-table.ts'
import { tiers } from '../../shared/tiers.ts'

const connections = 64
const noopInput = { n: 1 }

type Scale = { rounds: number; warmUpSeconds: number; loadSeconds: number; hostileSeconds: number; wallMsMax: number }
const full: Scale = { rounds: 5, warmUpSeconds: 2, loadSeconds: 5, hostileSeconds: 12, wallMsMax: tiers.basic.wallMsMax }
/** Peers end a loop after two seconds, so that it does not take all the time there is; ours has its tier's limit. */
const quick: Scale = { rounds: 1, warmUpSeconds: 0.4, loadSeconds: 0.6, hostileSeconds: 1.5, wallMsMax: 2_000 }

type Rounds = { noop: LoadRound[]; cases: Judged[]; task: LoadRound[]; hostile: HostileRound[] }
type Entry = { contender: Contender; rounds: Rounds }
type Absent = { name: string; why: string }

const works = ['noop', 'cases', 'task', 'hostile'] as const
type Work = (typeof works)[number]
const workTitles: Record<Work, string> = {
  noop: `(a) no-op requests per second, ${connections} connections`,
  cases: `(b) cases judged per second, ${peerCases.length} of one program`,
  task: `(c) 5 ms tasks per second, ${connections} connections`,
  hostile: `(d) honest requests per second beside endless loops, ${honestConnections} connections`,
}

export async function peers(run: BenchRun): Promise<ScenarioResult> {
  const scale = run.quick ? quick : full
  const programs = await peerPrograms()
  const right = await runHere(programs)
  const directory = await writePeerPrograms(programs)
  const contenders: Contender[] = []
  const absent: Absent[] = []
  try {
    return await withLocalCloud(async (cloud) => {
      run.plan(peerKinds.length + (peerKinds.length + 2) * (1 + works.length * scale.rounds))
      for (const kind of peerKinds) {
        run.step(`${kind.name}: installing and starting`)
        try {
          contenders.push(await startContender(kind, { directory, wallMsMax: scale.wallMsMax, quick: run.quick }))
        } catch (error) {
          absent.push({ name: kind.name, why: error instanceof Error ? error.message : String(error) })
        }
      }
      contenders.push(...(await ourContenders(cloud, { programs, expected: right.cases })))
      for (const contender of contenders) {
        run.step(`${contender.name}: checking and warming up`)
        await checkOutputs(contender, right)
        await load({ ...contender.load('noop', noopInput), connections, duration: scale.warmUpSeconds })
      }
      const entries = contenders.map((contender): Entry => ({ contender, rounds: { noop: [], cases: [], task: [], hostile: [] } }))
      for (let round = 0; round < scale.rounds; round++) {
        for (const work of works) {
          for (const { contender, rounds } of entries) {
            if (!takesPart(contender, work)) continue
            run.step(`${work}, ${contender.name}, round ${round + 1} of ${scale.rounds}`)
            await takeTurn(contender, { work, rounds, scale, right })
            // Some cannot end what they began, and it would be in the way of whoever comes next.
            if (work === 'hostile') await (round + 1 < scale.rounds ? contender.restart() : contender.stop())
          }
        }
      }
      return resultOf(entries, absent)
    })
  } finally {
    await Promise.all(contenders.map((contender) => contender.stop()))
    await rm(directory, { recursive: true, force: true })
  }
}

/** JSON texts. */
type Right = { noop: string; task: string; cases: string[] }

/** What Node gives, in this process: the programs are ours. */
async function runHere(programs: PeerPrograms): Promise<Right> {
  const importOf = async (source: string): Promise<(input: unknown) => unknown> =>
    (await import(`data:text/javascript;base64,${Buffer.from(source).toString('base64')}`)).default
  const [noop, task, markdown] = await Promise.all([importOf(programs.noop), importOf(programs.task), importOf(programs.markdown)])
  return {
    noop: JSON.stringify(noop(noopInput)),
    task: JSON.stringify(task(taskInput)),
    cases: peerCases.map(({ input }) => JSON.stringify(markdown(input))),
  }
}

async function checkOutputs(contender: Contender, right: Right): Promise<void> {
  const asked = [
    ['noop', noopInput, right.noop],
    ['task', taskInput, right.task],
    ['markdown', peerCases[0]?.input, right.cases[0]],
  ] as const
  for (const [program, input, expected] of asked) {
    if (contender.cannotRun[program]) continue
    const answer = await contender.ask(program, input)
    if (answer.kind !== 'output' || answer.text !== expected) {
      throw new Error(`${contender.name} answers ${program} with ${JSON.stringify(answer)}, Node with ${expected}`)
    }
  }
  if (takesPart(contender, 'cases')) checkJudged(contender, await contender.judge(), right)
}

const programOf = { noop: 'noop', cases: 'markdown', task: 'task', hostile: 'loop' } as const satisfies Record<Work, PeerProgramName>

function takesPart({ cannotRun }: Contender, work: Work): boolean {
  return cannotRun[programOf[work]] === undefined
}

function checkJudged({ name }: Contender, { outputSha256 }: Judged, right: Right): void {
  const wrong = outputSha256.findIndex((sha256, at) => sha256 !== sha256Of(right.cases[at] ?? ''))
  if (wrong >= 0) throw new Error(`${name} gives another output than Node for case ${wrong}: ${peerCases[wrong]?.name}`)
}

const sha256Of = (text: string) => createHash('sha256').update(text).digest('hex')

type Turn = { work: Work; rounds: Rounds; scale: Scale; right: Right }

async function takeTurn(contender: Contender, { work, rounds, scale, right }: Turn): Promise<void> {
  switch (work) {
    case 'noop':
    case 'task': {
      const input = work === 'noop' ? noopInput : taskInput
      const verifyBody = (body: unknown) => contender.isRight(String(body), right[work])
      rounds[work].push(await load({ ...contender.load(work, input), connections, duration: scale.loadSeconds, verifyBody }))
      break
    }
    case 'cases': {
      const judged = await contender.judge()
      checkJudged(contender, judged, right)
      rounds.cases.push(judged)
      break
    }
    case 'hostile':
      rounds.hostile.push(await hostileRound(contender, { seconds: scale.hostileSeconds, input: noopInput }))
      break
  }
}

function samplesOf({ noop, cases, task, hostile }: Rounds, work: Work): number[] {
  switch (work) {
    case 'noop':
      return noop.map(({ perSecond }) => perSecond)
    case 'cases':
      return cases.map(({ ms }) => (peerCases.length / ms) * 1e3)
    case 'task':
      return task.map(({ perSecond }) => perSecond)
    case 'hostile':
      return hostile.map(({ honest }) => honest.perSecond)
  }
}

/** NaN for who does not take part. */
const middle = (samples: readonly number[]) => (samples.length > 0 ? median(samples) : Number.NaN)

function p99(rounds: readonly LoadRound[]): number {
  const all = rounds.map((round) => latencyAt(round, 99)).filter((ms) => !Number.isNaN(ms))
  return all.length > 0 ? median(all) : Number.NaN
}

const failedOf = ({ noop, task }: Rounds) => [...noop, ...task].reduce((sum, { failed }) => sum + failed, 0)
const notEnded = ({ hostile }: Rounds) => hostile.filter(({ areAnswered, isQuiet }) => !areAnswered || !isQuiet).length

function resultOf(entries: Entry[], absent: Absent[]): ScenarioResult {
  return {
    figures: figuresOf(entries),
    tables: [speedTable(entries, absent), guaranteeTable(entries), standingTable(entries)],
    charts: [speedChart(entries)],
    raw: {
      percentiles,
      absent,
      contenders: entries.map(({ contender: { name, version, wallMsMax }, rounds }) => ({ name, version, wallMsMax, rounds })),
    },
  }
}

function speedTable(entries: Entry[], absent: Absent[]): Table {
  return {
    title: 'The same work at whole systems',
    columns: [
      'system',
      'version',
      ...works.slice(0, 3).map((work) => workTitles[work]),
      '(a) p99, ms',
      '(c) p99, ms',
      workTitles.hostile,
      '(d) p99 of the honest, ms',
      'loop ended',
      'failed in (a) and (c)',
    ],
    rows: [
      ...entries.map(({ contender: { name, version }, rounds }) => [
        name,
        version,
        ...works.slice(0, 3).map((work) => middle(samplesOf(rounds, work))),
        p99(rounds.noop),
        p99(rounds.task),
        median(samplesOf(rounds, 'hostile')),
        p99(rounds.hostile.map(({ honest }) => honest)),
        notEnded(rounds) === 0 ? 'yes' : '**no**',
        failedOf(rounds),
      ]),
      ...absent.map(({ name, why }) => [name, `left out: ${why}`, ...Array.from({ length: 9 }, () => null)]),
    ],
    note: `Medians of rounds in which all take turns; the load generator shares the cores. (b): ours is asked once, peers are asked once a case, ${judgedAtOnce} at once. (c): Fibonacci of ${taskInput.n}, which takes an interpreter 5 ms; engines that compile what is hot (workerd, Deno, Bun, isolated-vm) do the same work in less. (d): two endless loops run again and again by others; ${showNumber(entries.find(({ contender }) => !contender.isOurs)?.contender.wallMsMax ?? Number.NaN)} ms is the longest that peers let a program run, where they have such a limit, and ${showNumber(tiers.basic.wallMsMax)} ms ours. Ours also writes down every result before it answers, signs it and, through the Worker, knows whose it is; peers do neither.${leftOut(entries)}`,
  }
}

/** Sentences about the work that somebody does not take part in. */
function leftOut(entries: Entry[]): string {
  return entries
    .flatMap(({ contender: { name, cannotRun } }) =>
      Object.entries(cannotRun).map(([program, why]) => ` ${name} cannot run ${program}: ${why}.`),
    )
    .join('')
}

function guaranteeTable(entries: Entry[]): Table {
  return {
    title: 'What each guarantees about a program, set up like that',
    columns: ['system', ...guaranteeNames],
    rows: entries.map(({ contender: { name, guarantees } }) => [
      name,
      ...guaranteeNames.map((guarantee) => {
        const { holds, how } = guarantees[guarantee]
        return holds ? `yes: ${how}` : `no: ${how}`
      }),
    ]),
    note: 'From documentation and set-up, not from speed; whether a loop is really ended is measured in (d). workerd’s documentation says that it is no hardened sandbox by itself.',
  }
}

function ranked(entries: Entry[], work: Work): Ranked[] {
  return entries.map(({ contender: { name, isOurs, guarantees }, rounds }) => ({
    name,
    isOurs,
    guarantees,
    samples: samplesOf(rounds, work),
  }))
}

function standingTable(entries: Entry[]): Table {
  return {
    title: 'Ours against the best peer, times as much',
    columns: ['work', 'ours', 'best peer with the same guarantees', 'times', 'best of all peers', 'times '],
    rows: works.flatMap((work) => {
      const all = ranked(entries, work)
      return all
        .filter(({ isOurs }) => isOurs)
        .map((ours) => {
          const [same, any] = [bestPeer(all, 'same guarantees'), bestPeer(all, 'all')]
          return [
            workTitles[work],
            ours.name,
            same?.name ?? null,
            showRatio(timesBest(ours, same)),
            any?.name ?? null,
            showRatio(timesBest(ours, any)),
          ]
        })
    }),
    note: 'The same guarantees: a limit on memory, a limit on CPU time that ends a loop, and nothing left of one run in the next.',
  }
}

/** What must be reached: first among the like at (a), first of all at (b) and (d). */
const firstAmong = { noop: 'same guarantees', cases: 'all', task: 'same guarantees', hostile: 'all' } as const

function figuresOf(entries: Entry[]): Figure[] {
  const ours = entries.filter(({ contender }) => contender.isOurs)
  const rates = ours.flatMap(({ contender: { name }, rounds }): Figure[] => [
    ...works.map((work): Figure => {
      const samples = samplesOf(rounds, work)
      return { name: `${name}: ${workTitles[work]}`, value: median(samples), samples, better: 'more' }
    }),
    { name: `${name}: (d) p99 of the honest, ms`, value: p99(rounds.hostile.map(({ honest }) => honest)), better: 'less' },
    {
      name: `${name}: (d) rounds in which a loop was not ended`,
      value: notEnded(rounds),
      target: '0',
    },
    { name: `${name}: failed requests in (a) and (c)`, value: failedOf(rounds), target: '0' },
  ])
  const standings = works.map((work): Figure => {
    const all = ranked(entries, work)
    const host = all.find(({ isOurs }) => isOurs)
    const among = firstAmong[work]
    const value = host ? timesBest(host, bestPeer(all, among)).value : Number.NaN
    const name = `(${'abcd'[works.indexOf(work)]}) ours, the host, to the best ${among === 'all' ? 'of all peers' : 'peer with the same guarantees'}`
    return { name, value, ...(work === 'task' ? { better: 'more' as const } : { target: '> 1' }) }
  })
  return [...standings, ...rates]
}

function speedChart(entries: Entry[]): Chart {
  return {
    name: 'peers-speed',
    title: 'The same work at whole systems, per second',
    kind: 'bars',
    x: { title: '' },
    y: { title: 'per second', scale: 'log' },
    points: works.flatMap((work) =>
      entries.flatMap(({ contender: { name }, rounds }) => {
        const y = middle(samplesOf(rounds, work))
        // A logarithm has no place for nothing.
        return y > 0 ? [{ series: workTitles[work], x: name, y }] : []
      }),
    ),
  }
}
