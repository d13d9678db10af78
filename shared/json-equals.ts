// JSON equality, the default judge of a case: object key order does not matter, array order does, and numbers compare as numbers.
// Iterative, because an agent's output may nest as deep as its bytes allow.
export function jsonEquals(left: unknown, right: unknown): boolean {
  const pairs: [unknown, unknown][] = [[left, right]]
  for (let pair = pairs.pop(); pair; pair = pairs.pop()) {
    const [a, b] = pair
    if (a === b) continue
    if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
    if (Array.isArray(a) !== Array.isArray(b)) return false
    const entries = Object.entries(a)
    const others = new Map<string, unknown>(Object.entries(b))
    if (entries.length !== others.size) return false
    for (const [key, value] of entries) {
      if (!others.has(key)) return false
      pairs.push([value, others.get(key)])
    }
  }
  return true
}
