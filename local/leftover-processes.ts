// Processes that an earlier start of the same directory left behind, found by the mark that every child carries in its environment (and
// passes on to what it starts itself), so that they can be ended before their ports and files are wanted again.
import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { processBirth } from './process-birth.ts'

export const markVariable = 'AGENT_BOUNTY_LOCAL_DIR'

const graceMs = 4_000

/** @param localDir absolute, as the children were given it */
export function leftoverProcesses(localDir: string): number[] {
  const mark = `${markVariable}=${localDir}`
  if (process.platform === 'linux') {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid && environment(name).split('\0').includes(mark))
      .map(Number)
      .filter((pid) => processBirth(pid) !== undefined)
  }
  try {
    const rows = execFileSync('ps', ['-axEww', '-o', 'pid=,command='], { encoding: 'utf8' }).split('\n')
    return rows.filter((row) => row.includes(`${mark} `)).map((row) => Number.parseInt(row, 10))
  } catch {
    return []
  }
}

/** SIGINT ends all of them in order (it is Postgres' fast shutdown); what is still there after the grace is killed. */
export async function endLeftovers(localDir: string): Promise<number> {
  const found = leftoverProcesses(localDir)
  signal(found, 'SIGINT')
  const deadline = performance.now() + graceMs
  let left = found
  while (left.length > 0 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    left = left.filter((pid) => processBirth(pid) !== undefined)
  }
  signal(leftoverProcesses(localDir), 'SIGKILL')
  return found.length
}

function signal(pids: number[], name: NodeJS.Signals) {
  for (const pid of pids) {
    try {
      process.kill(pid, name)
    } catch {
      // Ended by itself meanwhile.
    }
  }
}

function environment(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8')
  } catch {
    // Another user's, or gone.
    return ''
  }
}
