// The part of the WebAssembly interface that the fallback engine uses; it comes with the DOM library, which a host does not load.
declare namespace WebAssembly {
  class Memory {
    constructor(limits: { initial: number; maximum: number })
    readonly buffer: ArrayBuffer
  }
}
