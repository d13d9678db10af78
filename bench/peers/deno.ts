// Child: Deno, each request in a Worker without permissions (deno-server.js). V8's limit on memory is that of the whole process.
import { fileURLToPath } from 'node:url'
import { runChild } from '../../local/run-child.ts'
import { npmRuntimePath } from './npm-runtime.ts'
import { peerSettings } from './peer-programs.ts'
import { serveBinary } from './serve-binary.ts'
import { writeWorkerFiles } from './write-worker-files.ts'

await runChild(async () => {
  const { directory, wallMsMax } = peerSettings()
  await writeWorkerFiles(directory)
  const server = fileURLToPath(new URL('deno-server.js', import.meta.url))
  const flags = ['--no-config', '--no-prompt', '--unstable-worker-options', '--allow-net=127.0.0.1', `--allow-read=${directory}`]
  return serveBinary((port) => ({ command: npmRuntimePath('deno'), args: ['run', ...flags, server, `${port}`, directory, `${wallMsMax}`] }))
})
