// The child's side of `supervise-process.ts`: says when it is ready, ends when asked to, and ends by itself when its starter is gone
// (the IPC channel closes however the starter died), so that a killed starter leaves nothing on the ports.

export type RunningChild = { port: number; stop: () => Promise<void> }

const stopWallMsMax = 3_000

export async function runChild(start: () => Promise<RunningChild>): Promise<void> {
  let running: RunningChild | undefined
  let ending = false
  const end = async () => {
    if (ending) return
    ending = true
    setTimeout(() => process.exit(1), stopWallMsMax).unref()
    await running?.stop().catch((error: unknown) => console.error(error))
    process.exit(0)
  }
  process.on('disconnect', () => void end())
  process.on('SIGTERM', () => void end())
  process.on('SIGINT', () => void end())
  try {
    running = await start()
    if (ending) await running.stop()
    else process.send?.({ type: 'ready', port: running.port })
  } catch (error) {
    console.error(error)
    process.exit(1)
  }
}

/** A setting of this child, which its starter always gives. */
export function childSetting(name: string): string {
  const value = process.env[name]
  if (value === undefined || value === '') throw new Error(`${name} is not set: this file is started by local/stack.ts`)
  return value
}
