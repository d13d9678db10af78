// A stream of bytes as lines of text, those of one piece together. A line that is not ended is no line.

export type LineOptions = {
  charsMax: number
  /** Makes what is thrown when the stream breaks off, or when a line is longer than `charsMax`. */
  broken: (cause: unknown) => Error
}

/** Leaving early cancels the stream. */
export async function* readLines(
  body: ReadableStream<Uint8Array>,
  { charsMax, broken }: LineOptions,
): AsyncGenerator<string[], void, void> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw broken(cause)
      })
      if (done) return
      const lines = (rest + decoder.decode(value, { stream: true })).split('\n')
      // Splitting gives at least one text.
      rest = lines.pop() ?? ''
      if (rest.length > charsMax) throw broken(new Error(`a line is longer than ${charsMax} characters`))
      if (lines.length > 0) yield lines
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}
