// The part of the WebAssembly interface that the peers use; it comes with the DOM library.
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array)
  }
  function compile(bytes: Uint8Array): Promise<Module>
}
