// The header Prefer (RFC 7240): a list of preferences, each a token with an optional value and parameters. One that is not known, or not
// understood, is as if it were not there.

/** Asks not to be kept waiting: https://www.rfc-editor.org/rfc/rfc7240#section-4.1 */
export const respondAsync = 'respond-async'

/** @param header as it came; several of them with commas between them */
export function prefersAsync(header: string | undefined): boolean {
  return splitOutsideQuotes(header ?? '').some((preference) => /^\s*respond-async\s*(;|$)/i.test(preference))
}

/** A comma in a quoted value ends nothing; a quote that is not closed takes all that follows. */
function splitOutsideQuotes(header: string): string[] {
  return header.match(/(?:"(?:\\.|[^"\\])*"|[^,"]|"[^]*$)+/g) ?? []
}
