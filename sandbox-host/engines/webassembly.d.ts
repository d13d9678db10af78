// The parts of the WebAssembly interface that the fallback engine uses; they come with the DOM library, which a host does not load.
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array)
  }
  class Memory {
    constructor(limits: { initial: number; maximum: number })
    readonly buffer: ArrayBuffer
    /** @returns the pages before. @throws RangeError beyond the maximum */
    grow(pages: number): number
  }
}
