// A directory and its parents, one by one: Node's own recursive mkdir never returns below a place that takes no directories (/proc).
import { mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/**
 * Throws the error of the first step that fails.
 * @param {string} path
 */
export function makeDirectory(path) {
  const missing = []
  for (let directory = resolve(path); !statSync(directory, { throwIfNoEntry: false }); directory = dirname(directory))
    missing.push(directory)
  for (const directory of missing.toReversed()) {
    try {
      mkdirSync(directory)
    } catch (error) {
      // Somebody else was faster.
      if (error.code !== 'EEXIST') throw error
    }
  }
}
