// The work that every peer is given, as one ES module each. A peer serves `POST /<program>`: the input's JSON text in the body, the output's in the answer.
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { demoCases } from '../../local/demo-cases.ts'
import { bundleDemoAgent } from '../../local/demo-agents.ts'
import { childSetting } from '../../local/run-child.ts'

export const peerProgramNames = ['noop', 'task', 'markdown', 'loop'] as const
export type PeerProgramName = (typeof peerProgramNames)[number]
export type PeerPrograms = Record<PeerProgramName, string>

/** 5 ms of QuickJS on the kind of machine that measures; an engine that compiles what is hot needs a fraction of it. */
export const taskInput = { n: 19 }

const judgedCases = 200
export const peerCases = demoCases.slice(0, judgedCases)

export async function peerPrograms(): Promise<PeerPrograms> {
  return {
    noop: 'export default (input) => input',
    task: await readFile(new URL('../workloads/fibonacci.js', import.meta.url), 'utf8'),
    markdown: await bundleDemoAgent('marked'),
    loop: 'export default () => { for (;;); }',
  }
}

/** @returns a directory with a file for each program, which peers read; whoever calls removes it */
export async function writePeerPrograms(programs: PeerPrograms): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'bounty-peers-'))
  await Promise.all(peerProgramNames.map((name) => writeFile(join(directory, `${name}.js`), programs[name])))
  return directory
}

/** What a peer is told by its starter. Limits are those of our tier `basic`; each peer sets those of them that it has. */
export function peerSettings() {
  return {
    directory: childSetting('PEER_PROGRAMS'),
    wallMsMax: Number(childSetting('PEER_WALL_MS_MAX')),
    memoryBytesMax: Number(childSetting('PEER_MEMORY_BYTES_MAX')),
  }
}

export async function readPeerPrograms(directory: string): Promise<PeerPrograms> {
  const read = (name: PeerProgramName) => readFile(join(directory, `${name}.js`), 'utf8')
  return { noop: await read('noop'), task: await read('task'), markdown: await read('markdown'), loop: await read('loop') }
}

export function isPeerProgram(name: string): name is PeerProgramName {
  return (peerProgramNames as readonly string[]).includes(name)
}
