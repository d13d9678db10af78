// The body of an answer that grows line by line (NDJSON). Lines of one moment leave in one piece.

const encoder = new TextEncoder()

export class LineStream {
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>
  #controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined
  #unsent = ''

  constructor() {
    this.body = new ReadableStream({
      start: (controller) => {
        this.#controller = controller
      },
      // Whoever read it has gone; what is written from now on goes nowhere.
      cancel: () => {
        this.#controller = undefined
      },
    })
  }

  write(line: object): void {
    if (this.#unsent === '') setImmediate(() => this.#send())
    this.#unsent += `${JSON.stringify(line)}\n`
  }

  close(): void {
    this.#send()
    this.#controller?.close()
    this.#controller = undefined
  }

  #send(): void {
    // A copy is sure to have an ArrayBuffer of its own, which not every platform's types say of `encode`.
    if (this.#unsent !== '') this.#controller?.enqueue(new Uint8Array(encoder.encode(this.#unsent)))
    this.#unsent = ''
  }
}
