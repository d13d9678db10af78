// What Deno's and Bun's servers share, on what the web gives: each request in a Worker of its own, which is terminated with the answer, or at the deadline.
const headers = { 'content-type': 'application/json' }

/** Neither guide names a bound on Workers at once; without one 64 requests start 64 of them, and none gets far before the deadline. */
const workersPerCore = 4

/** @param {{ wallMsMax: number, startWorker: (program: string) => Worker }} options */
export function workerHandler({ wallMsMax, startWorker }) {
  const waiting = []
  let free = navigator.hardwareConcurrency * workersPerCore
  return async (request) => {
    const input = await request.text()
    if (free > 0) free--
    else await new Promise((resolve) => waiting.push(resolve))
    const worker = startWorker(new URL(request.url).pathname.slice(1))
    let timer
    try {
      const output = await new Promise((resolve, reject) => {
        timer = setTimeout(() => reject(new Error(`longer than ${wallMsMax} ms`)), wallMsMax)
        worker.addEventListener('message', ({ data }) => resolve(data))
        worker.addEventListener('error', (event) => {
          event.preventDefault()
          reject(new Error(event.message))
        })
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- windows have an origin, Workers none
        worker.postMessage(input)
      })
      return new Response(output, { headers })
    } catch (error) {
      return new Response(JSON.stringify({ error: String(error) }), { status: 422, headers })
    } finally {
      clearTimeout(timer)
      worker.terminate()
      const next = waiting.shift()
      if (next) next()
      else free++
    }
  }
}
