// Entry of the Worker. An isolate builds its app with the first event and keeps it: caches and keys live in there.
import { createApp } from './app.ts'
import { countedMessages } from './counted-bindings.ts'
import type { Env } from './env.ts'
import { sweep } from './flows/sweep.ts'
import { takeMessages } from './take-messages.ts'
import { createServices, type Services } from './services.ts'

let built: { services: Services; app: ReturnType<typeof createApp> } | undefined

function build(env: Env) {
  const services = createServices(env)
  return { services, app: createApp(services) }
}

export default {
  fetch(request, env, context) {
    built ??= build(env)
    return built.app.fetch(request, env, context)
  },

  /** The cron of wrangler.toml. */
  async scheduled(_controller, env) {
    built ??= build(env)
    await sweep(built.services)
  },

  /** The consumer of wrangler.toml. */
  async queue(batch, env) {
    built ??= build(env)
    const { services } = built
    await takeMessages(services, countedMessages(batch.messages, services.counters))
  },
} satisfies ExportedHandler<Env>
