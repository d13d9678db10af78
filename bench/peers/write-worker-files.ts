// The Worker of each program, for runtimes that start one from a file.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { peerProgramNames } from './peer-programs.ts'

const worker = (program: string) => `import main from './${program}.js'
self.onmessage = async ({ data }) => self.postMessage(JSON.stringify(await main(JSON.parse(data))))`

export async function writeWorkerFiles(directory: string): Promise<void> {
  await Promise.all(peerProgramNames.map((name) => writeFile(join(directory, `${name}.worker.js`), worker(name))))
}
