// The memory of one guest of the fallback engine. QuickJS tells a guest that there is none left, which it may catch, or cannot even say
// for want of memory; the native engine ends the run there, so the first refusal is kept for the host to see.
const pageBytes = 65_536
/** What the emscripten module asks for at its start: 16 MiB. */
const initialPages = 256

export class FallbackMemory {
  readonly wasm: WebAssembly.Memory
  #isRefused = false

  constructor(bytesMax: number) {
    this.wasm = new WebAssembly.Memory({ initial: initialPages, maximum: Math.max(initialPages, Math.floor(bytesMax / pageBytes)) })
    const grow = this.wasm.grow.bind(this.wasm)
    this.wasm.grow = (pages) => {
      // Emscripten asks for more than it needs first, then for less: what counts is how that ends.
      this.#isRefused = true
      const before = grow(pages)
      this.#isRefused = false
      return before
    }
  }

  /** Whether more was wanted than there is. */
  get isRefused(): boolean {
    return this.#isRefused
  }

  get bytes(): number {
    return this.wasm.buffer.byteLength
  }
}
