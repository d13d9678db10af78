// The answer to a run that was begun: its head leaves at once, and says just that; its body is the record, or the problem that kept it from
// coming. A host that dies in between breaks the answer off, and the caller knows that there was a run.

const encoder = new TextEncoder()

/** @param text JSON; it never rejects */
export function begunBody(text: Promise<string>): ReadableStream<Uint8Array<ArrayBuffer>> {
  let isGone = false
  return new ReadableStream({
    start(controller) {
      // A head without a body would wait for one. JSON may begin with a space.
      controller.enqueue(bytesOf(' '))
    },
    async pull(controller) {
      const whole = await text
      if (isGone) return
      controller.enqueue(bytesOf(whole))
      controller.close()
    },
    cancel() {
      isGone = true
    },
  })
}

/** A copy is sure to have an ArrayBuffer of its own, which not every platform's types say of `encode`. */
function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(encoder.encode(text))
}
