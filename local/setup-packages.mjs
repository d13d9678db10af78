// Installs the locked npm packages when they are absent or the lock file changed. Node built-ins only.
import { createHash } from 'node:crypto'
import { access, constants, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runStep } from './setup-step.mjs'
import { SetupError } from './setup-error.mjs'

const nodeMajorMin = 20
const npmMajorMin = 9

/** @param {{ root: string, report: (line: string) => void }} options */
export async function setUpPackages({ root, report }) {
  checkNode(process.versions.node)
  const lockText = await readFile(join(root, 'package-lock.json'), 'utf8').catch(() => {
    throw new SetupError(`package-lock.json is missing in ${root}: the checkout is incomplete, run \`git checkout package-lock.json\`.`)
  })
  const hash = createHash('sha256').update(lockText).digest('hex')
  const stamp = join(root, 'node_modules', '.agent-bounty-setup')
  const hasNode = () =>
    access(join(root, 'node_modules', 'node', 'bin', 'node'), constants.X_OK).then(
      () => true,
      () => false,
    )
  const stamped = await readFile(stamp, 'utf8').catch(() => '')
  if (stamped.trim() === hash && (await hasNode())) return

  const installed = await readFile(join(root, 'node_modules', '.package-lock.json'), 'utf8').catch(() => undefined)
  if (installed === undefined || !matchesLock(lockText, installed) || !(await hasNode())) await install({ root, report })
  await writeFile(stamp, `${hash}\n`).catch((error) => {
    throw new SetupError(`cannot write ${stamp} (${error.code}): make the checkout writable for this user.`)
  })
}

/** @param {string} version e.g. 20.11.1 */
export function checkNode(version) {
  if (Number(version.split('.')[0]) >= nodeMajorMin) return
  throw new SetupError(`Node ${version} is too old: install Node ${nodeMajorMin} or newer from https://nodejs.org and run this again.`)
}

/**
 * Whether what npm says it installed is what the lock file asks for, so that packages installed by hand are left alone.
 * @param {string} lockText package-lock.json
 * @param {string} installedText node_modules/.package-lock.json
 */
export function matchesLock(lockText, installedText) {
  const wanted = JSON.parse(lockText).packages ?? {}
  const installed = JSON.parse(installedText).packages ?? {}
  const isSame = (a, b) => a !== undefined && b !== undefined && a.version === b.version && a.integrity === b.integrity
  return (
    Object.entries(installed).every(([path, entry]) => isSame(entry, wanted[path])) &&
    Object.entries(wanted).every(([path, entry]) => path === '' || entry.optional || entry.devOptional || isSame(entry, installed[path]))
  )
}

async function install({ root, report }) {
  await checkNpm()
  const { status, output, seconds, error } = await runStep({
    label: 'installing the locked packages',
    command: npmCommand,
    args: ['ci', '--prefer-offline', '--no-audit', '--no-fund'],
    cwd: root,
    env: process.env,
  })
  if (error) throw new SetupError(noNpm)
  if (status !== 0) throw new SetupError(installAdvice(output), whatMatters(output))
  report(`packages installed in ${Math.round(seconds)} s`)
}

const npmCommand = process.platform === 'win32' ? 'npm.cmd' : 'npm'
const noNpm = 'npm is missing: install Node with npm from https://nodejs.org and run this again.'

async function checkNpm() {
  // Under `npm start` npm has said its version already; asking costs a tenth of a second or more.
  const said = /^npm\/(\d+)/.exec(process.env['npm_config_user_agent'] ?? '')?.[1]
  const major = Number(said ?? (await askNpm()).split('.')[0])
  if (major < npmMajorMin) throw new SetupError(`npm ${major} is too old: run \`npm install --global npm@11\` and try again.`)
}

async function askNpm() {
  const { status, output } = await runStep({ label: 'looking for npm', command: npmCommand, args: ['--version'] })
  if (status !== 0) throw new SetupError(noNpm)
  return output[0] ?? ''
}

/** npm ends its errors with a page of help for the command; what went wrong stands before that. */
function whatMatters(output) {
  const errors = output.filter(
    (line) =>
      /^npm error\s+\S/.test(line) && !/^npm error\s+(--|Usage|Options|aliases|Run |A complete log|Clean install|npm ci$)/.test(line),
  )
  return errors.slice(0, 10)
}

/** @param {string[]} output */
export function installAdvice(output) {
  const text = output.join('\n')
  if (/EUSAGE/.test(text) && /in sync/.test(text))
    return 'npm ci failed: package-lock.json does not cover package.json. Run `npm install`, and commit the lock file.'
  if (/ENOSPC/.test(text)) return 'npm ci failed: the disk is full. Free some space and run this again.'
  if (/EACCES|EPERM|EROFS/.test(text)) return 'npm ci failed: node_modules is not writable. Make the checkout writable for this user.'
  if (/ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|network/i.test(text))
    return 'npm ci failed: the package registry cannot be reached. Check the network (or `npm config get registry`) and run this again.'
  return 'npm ci failed: what it said is above.'
}
