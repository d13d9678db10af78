// Words as search knows them: the same for what is written and for what is asked for. Case and accents do not matter; scripts that are written
// without spaces are taken character by character.
import { textSchema } from './text.ts'

/** Longer ones are cut: nobody types them, and an index entry has a bounded size. */
const wordCharactersMax = 32
/** Of one text, in the order in which they come first. */
export const searchedWordsMax = 400
export const queryWordsMax = 6

/** Written without spaces between words. */
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/gu

/** Each word once. */
export function searchWords(text: string): string[] {
  // A sigma at the end of a word has a form of its own, which depends on what follows.
  const bare = text.normalize('NFKD').toLowerCase().normalize('NFKD').replaceAll(/\p{M}/gu, '').replaceAll('ς', 'σ')
  const words = new Set<string>()
  for (const [word] of bare.replaceAll(unspaced, ' $& ').matchAll(/[\p{L}\p{N}]+/gu)) {
    words.add(wordCut(word))
    if (words.size === searchedWordsMax) break
  }
  return [...words]
}

/** Never through a surrogate pair: the database holds no half of one. */
function wordCut(word: string): string {
  const cut = word.slice(0, wordCharactersMax)
  return cut.isWellFormed() ? cut : cut.slice(0, -1)
}

export const searchQuerySchema = textSchema(100)
  .refine((text) => searchWords(text).length > 0, 'must have a letter or a digit in it')
  .refine((text) => searchWords(text).length <= queryWordsMax, `must have at most ${queryWordsMax} different words`)
  .meta({ description: 'Whole words that must all be there, in any order; case and accents do not matter', example: 'word count' })
