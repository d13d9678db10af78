/** Agents, bounties and their names are strangers': what they wrote must not command the terminal. */
export function printable(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n\t]/gu, '\uFFFD')
}
