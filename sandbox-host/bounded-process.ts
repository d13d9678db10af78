// Runs a tool on a stranger's bytes in a process of its own: bounds on memory, processor time, wall clock and output, and an empty
// environment. What a hostile input can do to a compiler, it does to nobody else.
import { spawn } from 'node:child_process'

export type ProcessBounds = {
  memoryBytesMax: number
  /** Processor time; waiting may take twice that. */
  secondsMax: number
  /** Processes that run at once; more wait. */
  processesMax: number
}

export type BoundedCommand = { executable: string; args: readonly string[]; input: Buffer; outputBytesMax: number }
/** `signal` tells of a bound that was met, or of a crash. */
export type BoundedEnd = { code: number | null; signal: NodeJS.Signals | null; output: Buffer; errors: string }
export type BoundedProcesses = ProcessBounds & { run: (command: BoundedCommand) => Promise<BoundedEnd> }

/** Of a compiler. A Go program of 8 MiB takes 4 s on one core, a JavaScript component by jco of 11.6 MB 20 s (measured). */
export const compilerSecondsMax = 60

const errorBytesMax = 64 * 1024

export function createBoundedProcesses({ memoryBytesMax, secondsMax, processesMax }: ProcessBounds): BoundedProcesses {
  const kibibytes = Math.floor(memoryBytesMax / 1024)
  const bounds = `ulimit -d ${kibibytes} 2>/dev/null; ulimit -t ${secondsMax} 2>/dev/null; ulimit -c 0 2>/dev/null; exec "$0" "$@"`
  const waiting: (() => void)[] = []
  let running = 0

  function start({ executable, args, input, outputBytesMax }: BoundedCommand): Promise<BoundedEnd> {
    return new Promise((resolve, reject) => {
      const child = spawn('/bin/sh', ['-c', bounds, executable, ...args], { env: {}, cwd: '/' })
      // The processor's seconds are bounded by the shell; this is for a tool that waits.
      const timer = setTimeout(() => child.kill('SIGKILL'), secondsMax * 2_000)
      const output: Buffer[] = []
      const errors: Buffer[] = []
      const collect = (into: Buffer[], bytesMax: number) => {
        let bytes = 0
        return (chunk: Buffer) => {
          bytes += chunk.length
          if (bytes <= bytesMax) into.push(chunk)
          else child.kill('SIGKILL')
        }
      }
      child.stdout.on('data', collect(output, outputBytesMax))
      child.stderr.on('data', collect(errors, errorBytesMax))
      child.stdin.on('error', () => {}) // a tool that fails early does not read to the end; its exit tells
      child.on('error', (cause) => {
        clearTimeout(timer)
        reject(new Error('the compiler cannot be started', { cause }))
      })
      child.on('close', (code, signal) => {
        clearTimeout(timer)
        resolve({ code, signal, output: Buffer.concat(output), errors: Buffer.concat(errors).toString('utf8') })
      })
      child.stdin.end(input)
    })
  }

  return {
    memoryBytesMax,
    secondsMax,
    processesMax,
    async run(command) {
      // Whoever ends hands its place to the first that waits.
      if (running >= processesMax) await new Promise<void>((resolve) => waiting.push(resolve))
      else running++
      try {
        return await start(command)
      } finally {
        const next = waiting.shift()
        if (next) next()
        else running--
      }
    },
  }
}
