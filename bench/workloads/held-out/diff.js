import { createPatch, diffWords } from 'diff'

export default ({ before, after }) => {
  const words = diffWords(before.slice(0, 2500), after.slice(0, 2500))
  return [
    createPatch('spec.txt', before, after),
    words.map(({ added, removed, value }) => (added ? '+' : removed ? '-' : ' ') + value.length),
  ]
}
