// Which host runs a program. Every host has a rank for every program (rendezvous hashing, weighted by threads), so that a program stays where it
// is warm, and a host that joins or leaves moves only the programs that are its own. A host whose load is beyond its room is passed over until it
// has room again (bounded load). Pure, and the same in every isolate; bench/simulation runs this code.

export type Placeable = {
  id: string
  /** Runs that it works on at once; its weight. */
  threads: number
  /** Runs that are begun or wait there, as far as is known. */
  load: number
}

/**
 * Runs a thread that a host may have before others are asked to help out. Below it a run waits for a few others, which is cheaper than loading its
 * program elsewhere (figures: bench/results/scale.json).
 */
export const roomPerThread = 4
/** A host may have this many times the load that is usual now; 1.25 as in https://arxiv.org/abs/1608.01350 */
const loadOverMean = 1.25

/** Every host, the first choice for `key` first. @param key any text, here the hash of a program */
export function rendezvousOrder<H extends Pick<Placeable, 'id' | 'threads'>>(key: string, hosts: readonly H[]): H[] {
  if (hosts.length < 2) return [...hosts]
  const keyHash = hash32(key)
  return hosts
    .map((host) => ({ host, rank: rankOf(keyHash, host) }))
    .toSorted((a, b) => a.rank - b.rank || (a.host.id < b.host.id ? -1 : 1))
    .map(({ host }) => host)
}

/** Every host: first those with room, then the others, each in the order of rendezvous. */
export function placementOrder<H extends Placeable>(key: string, hosts: readonly H[]): H[] {
  const ranked = rendezvousOrder(key, hosts)
  const { withRoom, full } = byRoom(ranked)
  return [...withRoom, ...full]
}

function byRoom<H extends Placeable>(hosts: readonly H[]): { withRoom: H[]; full: H[] } {
  const [load, threads] = hosts.reduce(([sum, of], host) => [sum + host.load, of + host.threads], [0, 0])
  // When all are busy the bound rises with them, and whoever has the least of it is always below.
  const perThread = Math.max(roomPerThread, (loadOverMean * load) / Math.max(threads, 1))
  const withRoom: H[] = []
  const full: H[] = []
  for (const host of hosts) (host.load < perThread * host.threads ? withRoom : full).push(host)
  return { withRoom, full }
}

/** Smaller comes first: an exponential variate of the host's own for this key, at the rate of its threads. */
function rankOf(keyHash: number, { id, threads }: Pick<Placeable, 'id' | 'threads'>): number {
  const uniform = (scatter(keyHash ^ hash32(id)) + 0.5) / 2 ** 32
  return -Math.log(uniform) / threads
}

/** FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
function hash32(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return scatter(hash)
}

/** The finaliser of MurmurHash3: each bit of the result depends on every bit of the number. */
function scatter(number: number): number {
  let hash = Math.imul(number ^ (number >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
