// Files of JSON that a command is given; - is standard input.
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { UsageError } from './usage-error.ts'

export async function readText(path: string): Promise<string> {
  if (path === '-') return text(process.stdin)
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw new UsageError(`${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  })
}

export function parsedJson(json: string, path: string): unknown {
  try {
    return JSON.parse(json)
  } catch (cause) {
    throw new Error(`${path === '-' ? 'standard input' : path} is not JSON`, { cause })
  }
}
