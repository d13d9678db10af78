// JavaScript as a component, by `jco componentize`: 12 MB and half a minute, so it is kept in the user's cache under a hash of all that it is made from.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cacheDirectory } from '../../local/engine-cargo.mjs'
import { makeDirectory } from '../../local/make-directory.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))
const toolchain = ['jco', 'componentize-js'].map((name) => `node_modules/@bytecodealliance/${name}/package.json`)

/** @param wit a file, or a directory of them, relative to the checkout @returns path of the component */
export async function componentize({ source, wit, world }: { source: string; wit: string; world: string }): Promise<string> {
  const witPath = resolve(root, wit)
  const hash = createHash('sha256').update(source).update(world)
  for (const path of [...filesOf(witPath), ...toolchain.map((name) => join(root, name))]) hash.update(readFileSync(path))
  const folder = cacheDirectory()
  const path = join(folder, `bench-component-${hash.digest('hex').slice(0, 32)}.wasm`)
  if (existsSync(path)) return path
  makeDirectory(folder)
  const work = await mkdtemp(join(folder, 'bench-component-'))
  try {
    const [from, to] = [join(work, 'programs.js'), join(work, 'programs.wasm')]
    await writeFile(from, source)
    const jco = join(root, 'node_modules/@bytecodealliance/jco/src/jco.js')
    await promisify(execFile)(process.execPath, [jco, 'componentize', from, '--wit', witPath, '--world-name', world, '--out', to])
    await rename(to, path)
    return path
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

function filesOf(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path]
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' }).toSorted()
  return names.map((name) => join(path, name)).filter((file) => statSync(file).isFile())
}
