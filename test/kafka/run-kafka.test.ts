// `npm run kafka` as a user runs it: one broker of a directory, killed and started again, stopped by Ctrl-C.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Admin } from '@platformatic/kafka'
import { afterAll, expect, test } from 'vitest'
import { leftoverProcesses } from '../../local/leftover-processes.ts'
import { newTopic } from './gateway-under-test.ts'

const directory = mkdtempSync(join(tmpdir(), 'bounty-run-kafka-'))
const home = join(directory, 'kafka')
const started: ChildProcess[] = []
afterAll(() => {
  for (const child of started) child.kill('SIGKILL')
  for (const pid of leftoverProcesses(home)) process.kill(pid, 'SIGKILL')
  rmSync(directory, { recursive: true, force: true })
})

type Run = { child: ChildProcess; said: () => string; ended: Promise<number | null> }

function run(): Run {
  const child = spawn('node_modules/node/bin/node', ['local/run-kafka.ts', '--port', '0'], {
    env: { ...process.env, LOCAL_DIR: directory },
  })
  started.push(child)
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      said += String(chunk)
    })
  }
  return { child, said: () => said, ended: new Promise((resolve) => child.once('exit', resolve)) }
}

async function brokersOf({ said }: Run): Promise<string> {
  await expect.poll(said, { timeout: 60_000 }).toMatch(/Kafka is ready at/)
  return /ready at (\S+);/.exec(said())?.[1] ?? ''
}

test(
  'a second one of the directory is refused, a killed one is tidied up with its messages kept, Ctrl-C leaves nothing',
  { timeout: 120_000 },
  async () => {
    const first = run()
    const topic = await newTopic(await brokersOf(first))
    const second = run()
    expect(await second.ended).toBe(1)
    expect(second.said()).toMatch(/is in use by another start/)

    first.child.kill('SIGKILL')
    await first.ended
    expect(leftoverProcesses(home)).toHaveLength(1)
    const third = run()
    const admin = new Admin({ clientId: 'test', bootstrapBrokers: [await brokersOf(third)] })
    expect(await admin.listTopics({})).toContain(topic)
    await admin.close()

    third.child.kill('SIGINT')
    expect(await third.ended).toBe(0)
    expect(leftoverProcesses(home)).toEqual([])
  },
)
