// A process that dies, or stands still for a while, at one of its calls: before the call has its effect, or after it.
import type { Services } from '../../workers/services.ts'

export type Fate = { diesAt: number | null; wakeUp?: Promise<void> | undefined }
type Port = 'judgings' | 'submissions' | 'executions' | 'asyncExecutions' | 'eventLog' | 'sandbox'

/**
 * Does `work` with services that stop at the n-th call to one of the ports. Then nothing is heard of it any more, or, when it was only frozen, it
 * goes on as if nothing had been.
 * @returns when it is done, or dead
 */
export async function dieWithin(
  services: Services,
  { ports, diesAt, wakeUp }: Fate & { ports: readonly Port[] },
  work: (services: Services) => Promise<unknown>,
): Promise<void> {
  const { promise: died, resolve: die } = Promise.withResolvers<void>()
  let calls = 0
  const gone = () => {
    die()
    return wakeUp ?? new Promise<never>(() => {})
  }
  const dying = <T extends object>(port: T): T =>
    new Proxy(port, {
      get(target, name) {
        const method: unknown = Reflect.get(target, name)
        if (typeof method !== 'function') return method
        return async (...of: unknown[]) => {
          const n = calls++
          const isOver = diesAt !== null && n >= diesAt
          // Every other one has its effect, and is not answered.
          if (isOver && (n > diesAt || n % 2 === 0)) await gone()
          const result: unknown = await Reflect.apply(method, target, of)
          if (isOver) await gone()
          return result
        }
      },
    })
  const mortal = Object.fromEntries(ports.map((port) => [port, dying(services[port])]))
  await Promise.race([died, work({ ...services, ...mortal })])
}
