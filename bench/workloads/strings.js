// String operations: build, split, replace, compare, join.
export default ({ n }) => {
  let text = ''
  for (let i = 0; i < n; i++) text += String.fromCharCode(97 + (i % 26)) + (i % 5 === 0 ? ' ' : '')
  const words = text.split(' ')
  const upper = words.map((word, i) => (i % 2 ? word.toUpperCase() : word.split('').toReversed().join('')))
  const joined = upper.join('-').replace(/[A-Z]+/g, (found) => found.toLowerCase() + found.length)
  let vowels = 0
  for (const letter of joined) if ('aeiou'.includes(letter)) vowels++
  return [words.length, joined.length, vowels, joined.slice(0, 20)]
}
