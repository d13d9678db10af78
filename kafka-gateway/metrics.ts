// What the gateway counts, for Prometheus.
import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client'

export class Metrics {
  readonly #registry = new Registry()
  readonly #requests
  readonly #messages

  constructor({ instances, underWay }: { instances: () => number; underWay: () => number }) {
    const registers = [this.#registry]
    collectDefaultMetrics({ register: this.#registry })
    const labelNames = ['call', 'status'] as const
    this.#requests = new Counter({ name: 'gateway_requests_total', help: 'Requests by call and status', labelNames, registers })
    this.#messages = new Counter({ name: 'gateway_messages_total', help: 'Messages by direction', labelNames: ['direction'], registers })
    gauge('gateway_instances', 'Consumer instances alive', instances, registers)
    gauge('gateway_requests_under_way', 'Requests that are not answered yet', underWay, registers)
  }

  /** @param call its first path segment, of those there are */
  answered(call: string, status: number): void {
    this.#requests.inc({ call, status: String(status) })
  }

  messages(direction: 'produced' | 'consumed', count: number): void {
    this.#messages.inc({ direction }, count)
  }

  text(): Promise<string> {
    return this.#registry.metrics()
  }
}

function gauge(name: string, help: string, read: () => number, registers: Registry[]): void {
  const made: Gauge = new Gauge({ name, help, registers, collect: () => made.set(read()) })
}
