// The cases of the demo bounty: every example of the CommonMark specification.
import spec from 'commonmark-spec'

export type DemoCase = { name: string; input: { markdown: string }; expected: string }

/** The specification prints tabs as arrows; the cases hold the tabs themselves, as its own test runner does. */
export const demoCases: DemoCase[] = spec.tests.map(({ number, section, markdown, html }) => ({
  name: `${number} ${section}`,
  input: { markdown: markdown.replaceAll('→', '\t') },
  expected: html.replaceAll('→', '\t'),
}))
