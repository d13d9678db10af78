// The parts of the WebAssembly interface that the fallback engine uses; they come with the DOM library, which a host does not load.
declare namespace WebAssembly {
  interface Module {
    readonly module?: never
  }
  const Module: new (bytes: Uint8Array) => Module
  class Memory {
    constructor(limits: { initial: number; maximum: number })
    readonly buffer: ArrayBuffer
    /** @returns the pages before. @throws RangeError beyond the maximum */
    grow(pages: number): number
  }
}
