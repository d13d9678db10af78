// The Worker as one module, resolved the way wrangler resolves it, so that what runs locally is what is deployed.
import { build, stop } from 'esbuild'

export async function bundleWorker(entry: string): Promise<string> {
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2024',
    // wrangler's own: https://developers.cloudflare.com/workers/wrangler/bundling/
    conditions: ['workerd', 'worker', 'browser'],
    external: ['node:*', 'cloudflare:*'],
    loader: { '.sql': 'text', '.txt': 'text', '.html': 'text' },
    define: { 'process.env.NODE_ENV': '"production"' },
    jsx: 'automatic',
    jsxImportSource: 'hono/jsx',
    sourcemap: 'inline',
    // Stack traces need the places, not a second copy of every source.
    sourcesContent: false,
    logLevel: 'warning',
  })
  await stop()
  const [output] = result.outputFiles
  if (output === undefined) throw new Error(`esbuild made no module of ${entry}`)
  return output.text
}
