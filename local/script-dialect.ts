// Upstash accepts a script flag that Redis does not know (`#!lua flags=allow-key-locking`, sent by @upstash/ratelimit). The flag is
// taken off on the way in; callers go on using the hash of the script that they sent.
import { createHash } from 'node:crypto'

const foreignFlag = /^(#!lua[^\n]*?)[ \t]*flags=allow-key-locking[ \t]*(?=\n|$)/
/** Scripts are few, they belong to the program: this only bounds a caller that makes them up. */
const scriptsMax = 1_000

export type ScriptDialect = {
  /** The command as Redis understands it. */
  translate: (command: string[]) => string[]
  /** The answer as the caller of `command` expects it. */
  answer: (command: string[], reply: unknown) => unknown
}

export function createScriptDialect(): ScriptDialect {
  const ownHash = new Map<string, string>()

  function withoutFlag(script: string): string {
    const plain = script.replace(foreignFlag, '$1')
    if (plain === script) return script
    if (ownHash.size >= scriptsMax) ownHash.clear()
    ownHash.set(sha1(script), sha1(plain))
    return plain
  }

  return {
    translate: (command) => {
      const [name = '', first = '', second = '', ...rest] = command
      const verb = name.toLowerCase()
      if (verb === 'eval' || verb === 'eval_ro') return [name, withoutFlag(first), second, ...rest]
      if (verb === 'evalsha' || verb === 'evalsha_ro') return [name, ownHash.get(first.toLowerCase()) ?? first, second, ...rest]
      if (verb === 'script' && first.toLowerCase() === 'load') return [name, first, withoutFlag(second)]
      if (verb === 'script' && first.toLowerCase() === 'exists')
        return [name, first, ...[second, ...rest].map((sha) => ownHash.get(sha) ?? sha)]
      return command
    },
    answer: ([name = '', first = '', second = ''], reply) => {
      const isLoad = name.toLowerCase() === 'script' && first.toLowerCase() === 'load'
      return isLoad && foreignFlag.test(second) ? sha1(second) : reply
    },
  }
}

function sha1(text: string): string {
  return createHash('sha1').update(text).digest('hex')
}
