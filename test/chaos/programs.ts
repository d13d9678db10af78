// What runs in a storm, and what comes of it.
const artifactName = 'made.txt'
/** The wrong agent is wrong about this case alone, and not the first one. */
const wrongAbout = 2
/** Of the checker. */
const tolerance = 1

export const sources = {
  right: `export default ({ n, bytes, loops }, { artifact }) => {
  if (bytes) artifact('${artifactName}', String(n).padEnd(bytes, '.'))
  for (let i = 0, x = 0; i < loops; i++) x = (x * 31 + 7) % 1000003
  return n * 2
}`,
  wrong: `export default ({ n }) => (n === ${wrongAbout} ? -1 : n * 2)`,
  checker: `export default ({ expected, output }) => ({ accepted: Math.abs(output - expected) <= ${tolerance} })`,
}

export function outputOf({ isRight, n }: { isRight: boolean; n: number }): number {
  return !isRight && n === wrongAbout ? -1 : n * 2
}

/** By JSON equality, or by the checker above. */
export function isAccepted({ hasChecker, output, expected }: { hasChecker: boolean; output: number; expected: number }): boolean {
  return hasChecker ? Math.abs(output - expected) <= tolerance : output === expected
}

/** The artifact that the right agent makes. */
export function artifactOf({ n, bytes }: { n: number; bytes: number }): { name: string; text: string } {
  return { name: artifactName, text: String(n).padEnd(bytes, '.') }
}
