// Child: Bun, each request in a Worker (bun-server.js).
import { fileURLToPath } from 'node:url'
import { runChild } from '../../local/run-child.ts'
import { npmRuntimePath } from './npm-runtime.ts'
import { peerSettings } from './peer-programs.ts'
import { serveBinary } from './serve-binary.ts'
import { writeWorkerFiles } from './write-worker-files.ts'

await runChild(async () => {
  const { directory, wallMsMax } = peerSettings()
  await writeWorkerFiles(directory)
  const server = fileURLToPath(new URL('bun-server.js', import.meta.url))
  return serveBinary((port) => ({ command: npmRuntimePath('bun'), args: ['run', server, `${port}`, directory, `${wallMsMax}`] }))
})
