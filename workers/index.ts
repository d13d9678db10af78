// Entry of the Worker. An isolate builds its app with the first request and keeps it: caches and keys live in there.
import { createApp } from './app.ts'
import type { Env } from './env.ts'
import { createServices } from './services.ts'

let app: ReturnType<typeof createApp> | undefined

export default {
  fetch(request, env, context) {
    app ??= createApp(createServices(env))
    return app.fetch(request, env, context)
  },
} satisfies ExportedHandler<Env>
