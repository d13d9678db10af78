// The bucket of the Worker over maps: programs, and, once a test puts them there, bundles and artifacts.
import { programKey } from '../../shared/agent.ts'
import type { ArtifactStore } from '../../shared/ports.ts'
import { streamOf } from './stream-of.ts'

export type MemoryArtifacts = ArtifactStore & {
  /** By hash. */
  programs: Map<string, Uint8Array>
  /** Bundles and artifacts by key. */
  objects: Map<string, Uint8Array>
  put: (key: string, bytes: Uint8Array) => void
}

export function memoryArtifactStore(now: () => number = Date.now): MemoryArtifacts {
  const programs = new Map<string, Uint8Array>()
  const objects = new Map<string, Uint8Array>()
  const storedAt = new Map<string, number>()
  const programOf = (key: string) => /^programs\/(.+)$/.exec(key)?.[1]
  return {
    programs,
    objects,
    put(key, bytes) {
      objects.set(key, bytes)
      storedAt.set(key, now())
    },
    async putProgram(sha256, bytes) {
      if (programs.has(sha256)) return
      programs.set(sha256, bytes)
      storedAt.set(programKey(sha256), now())
    },
    async read(key, { offset, length }) {
      const bytes = objects.get(key)
      return bytes && streamOf(bytes.subarray(offset, offset + length))
    },
    async presign(key, { seconds }) {
      return objects.has(key) ? `https://bucket.example/${key}?X-Amz-Expires=${seconds}` : undefined
    },
    async list(prefix, { after, limit }) {
      const all = [...objects, ...[...programs].map(([sha256, bytes]) => [programKey(sha256), bytes] as const)]
        .filter(([key]) => key.startsWith(prefix) && key > after)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
      const shown = all.slice(0, limit)
      return {
        objects: shown.map(([key, bytes]) => ({ key, bytes: bytes.length, storedAt: storedAt.get(key) ?? now() })),
        hasMore: all.length > limit,
      }
    },
    async remove(keys) {
      for (const key of keys) {
        objects.delete(key)
        programs.delete(programOf(key) ?? '')
      }
    },
    async ping() {},
  }
}
