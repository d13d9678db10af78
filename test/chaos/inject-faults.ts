// Brings a plan of faults over a cloud, and takes every one of them away again. What is killed is healed by the cloud's own supervisor.
import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { processTree } from './child-processes.ts'
import { describeFault, type Fault, type PartName, type PlannedFault } from './plan-faults.ts'
import type { StormCloud } from './storm-cloud.ts'

export type InjectedFaults = {
  /** Kinds and what they hit, e.g. `kill host`, to how often. */
  counts: Record<string, number>
}

/** A part that is being started again is waited for so long, then the fault is left out and counted as missed. */
const partMsMax = 10_000

export async function injectFaults(
  cloud: StormCloud,
  { plan, report }: { plan: readonly PlannedFault[]; report: (line: string) => void },
): Promise<InjectedFaults> {
  const counts: Record<string, number> = {}
  const startedAt = performance.now()
  const hosts = hostsInTurn(cloud)
  // Each by itself: one that waits for its part to come back holds up no other.
  await Promise.all(
    plan.map(async ({ atMs, fault }) => {
      await sleep(Math.max(0, atMs - (performance.now() - startedAt)))
      report(describeFault(fault))
      const end = await begin(cloud, { fault, hostName: hosts.next().value })
      const name = `${fault.kind} ${'part' in fault ? fault.part : 'link' in fault ? fault.link : 'host'}`
      const counted = end ? name : `missed: ${name}`
      counts[counted] = (counts[counted] ?? 0) + 1
      if (!end) return
      if ('forMs' in fault) await sleep(fault.forMs)
      end()
    }),
  )
  return { counts }
}

/** @returns how to end it; undefined when it could not be begun */
async function begin(cloud: StormCloud, { fault, hostName }: { fault: Fault; hostName: string }): Promise<(() => void) | undefined> {
  switch (fault.kind) {
    case 'kill': {
      const [pid] = await pidsOf(cloud, processOf(fault.part, hostName))
      return pid !== undefined && send('SIGKILL', pid) ? () => {} : undefined
    }
    case 'freeze': {
      const pids = await pidsOf(cloud, processOf(fault.part, hostName))
      const frozen = pids.filter((pid) => send('SIGSTOP', pid))
      return frozen.length > 0 ? () => frozen.forEach((pid) => send('SIGCONT', pid)) : undefined
    }
    case 'full-disk': {
      const [pid] = await pidsOf(cloud, hostName)
      return pid !== undefined && limitFiles(pid, '0') ? () => void limitFiles(pid, 'unlimited') : undefined
    }
    case 'slow':
    case 'half-open':
    case 'lose-answers': {
      const link = cloud.links.get(fault.link)
      link?.set(fault.kind)
      return link && (() => link.set('open'))
    }
  }
}

/** Names of the hosts' processes, again and again. */
function* hostsInTurn({ stack }: StormCloud): Generator<string, never> {
  const names = Object.keys(stack.hostUrls)
  for (;;) yield* names
}

function processOf(part: PartName, hostName: string): string {
  return part === 'host' ? hostName : part
}

/** The part's own process, and all below it. Empty when it does not come back in time. */
async function pidsOf({ stack }: StormCloud, part: string): Promise<number[]> {
  for (const deadline = performance.now() + partMsMax; performance.now() < deadline; await sleep(50)) {
    const root = stack.processes()[part === 'workerd' ? 'edge' : part]
    const tree = root === undefined ? [] : processTree(root)
    const found = part === 'workerd' ? tree.filter(({ name }) => name === 'workerd') : tree
    if (found.length > 0) return found.map(({ pid }) => pid)
  }
  return []
}

function send(signal: NodeJS.Signals, pid: number): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    // It died of another fault.
    return false
  }
}

/**
 * The soft limit on the size of a file: with 0 whatever the process adds to a file fails, as on a full disk. Node ignores SIGXFSZ, so that it
 * sees the error. https://man7.org/linux/man-pages/man2/setrlimit.2.html
 */
function limitFiles(pid: number, soft: '0' | 'unlimited'): boolean {
  try {
    execFileSync('prlimit', ['--pid', String(pid), `--fsize=${soft}:`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
