// What the flag `nodejs_als` in wrangler.toml gives of Node; the platform's types do not have it.
declare module 'node:async_hooks' {
  export class AsyncLocalStorage<T> {
    run<R>(store: T, callback: () => R): R
    getStore(): T | undefined
  }
}
