// Runs one long command of the set-up and shows that it is alive: what it does and for how many seconds. On a terminal the line
// renews itself; in a log it is a line at the start and one every half minute. Node built-ins only: nothing is installed yet.
import { spawn } from 'node:child_process'

const outputLinesMax = 400
const reminderMs = 30_000

/**
 * Ctrl-C and SIGTERM end the command too, and then this process.
 * @param {{ label: string, command: string, args: string[], cwd?: string, env?: NodeJS.ProcessEnv, note?: (line: string) => string | undefined }} step
 * @returns {Promise<{ status: number, output: string[], seconds: number, error?: Error }>} `output`: the last lines of both streams
 */
export async function runStep({ label, command, args, cwd, env, note }) {
  const started = performance.now()
  const seconds = () => (performance.now() - started) / 1000
  const progress = showProgress(label, seconds)
  const output = []
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const take = (chunk) => {
    for (const line of String(chunk)
      .split(/[\r\n]+/)
      .filter(Boolean)) {
      output.push(line)
      if (output.length > outputLinesMax) output.shift()
      const said = note?.(line)
      if (said) progress.note(said)
    }
  }
  child.stdout.on('data', take)
  child.stderr.on('data', take)

  const signals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])
  const stop = (signal) => {
    child.kill(signal)
    progress.end()
    process.exit(signal === 'SIGINT' ? 130 : 143)
  }
  for (const signal of signals) process.on(signal, stop)
  try {
    const { status, error } = await new Promise((resolve) => {
      child.on('error', (cause) => resolve({ status: -1, error: cause }))
      child.on('close', (code) => resolve({ status: code ?? -1 }))
    })
    return { status, output, seconds: seconds(), ...(error ? { error } : {}) }
  } finally {
    for (const signal of signals) process.off(signal, stop)
    progress.end()
  }
}

function showProgress(label, seconds) {
  const isTerminal = process.stdout.isTTY === true
  let noted = ''
  const text = () => `  ${label} … ${Math.round(seconds())} s${noted ? ` (${noted})` : ''}`
  const draw = () => process.stdout.write(`\r\x1b[2K${text().slice(0, Math.max((process.stdout.columns ?? 80) - 1, 20))}`)
  if (isTerminal) draw()
  else console.log(`  ${label} …`)
  const timer = isTerminal ? setInterval(draw, 250) : setInterval(() => console.log(text()), reminderMs)
  return {
    note: (said) => {
      noted = said
    },
    end: () => {
      clearInterval(timer)
      if (isTerminal) process.stdout.write('\r\x1b[2K')
    },
  }
}
