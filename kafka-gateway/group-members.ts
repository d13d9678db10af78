// The consumer instances of this process by group and name: made by the first consume, bounded in number, and gone when nobody asks for
// them. They live in memory: an instance consumes and commits through one gateway.
import { GatewayError } from './gateway-error.ts'
import { GroupMember, type Assignment, type Delivery, type MemberSettings } from './group-member.ts'
import type { KafkaClients } from './kafka-clients.ts'
import type { Log } from './log.ts'
import type { RecordReader } from './record-reader.ts'

export type InstanceName = { group: string; instance: string }
export type GroupAssignments = { name: string; instances: { name: string; topics: Assignment[] }[] }

/** How often expiry and auto-commit are looked at; the shortest interval of auto-commit is 100 ms. */
const sweepEveryMs = 100
const leaveAgainMs = 5_000

type Instance = { name: InstanceName; member: GroupMember; isLeaving: boolean; leaveAt: number }

export type GroupMembersOptions = {
  clients: Pick<KafkaClients, 'member'>
  reader: RecordReader
  instancesMax: number
  instanceIdleMs: number
  log: Log
  now: () => number
}

export class GroupMembers {
  readonly #options: GroupMembersOptions
  readonly #members = new Map<string, Instance>()
  readonly #sweeping: NodeJS.Timeout
  #isClosed = false

  constructor(options: GroupMembersOptions) {
    this.#options = options
    this.#sweeping = setInterval(() => this.#sweep(), sweepEveryMs)
    this.#sweeping.unref()
  }

  get count(): number {
    return this.#members.size
  }

  /** @throws GatewayError 429 when there are too many instances */
  poll(name: InstanceName, settings: MemberSettings, waitMs: number): Promise<Delivery> {
    return this.#findOrMake(name, settings).poll(settings, waitMs)
  }

  /** @throws GatewayError 404, 409 */
  find(name: InstanceName): GroupMember {
    return this.#findInstance(name).member
  }

  /** It stays when the broker cannot be told: a member that nobody knows would keep its partitions. @throws GatewayError 404, 409 */
  async remove(name: InstanceName): Promise<void> {
    const instance = this.#findInstance(name)
    instance.isLeaving = true
    try {
      await instance.member.leave()
      this.#members.delete(keyOf(name))
    } finally {
      instance.isLeaving = false
    }
  }

  list(): GroupAssignments[] {
    const byGroup = Map.groupBy(this.#members.values(), ({ name }) => name.group)
    return [...byGroup].map(([name, members]) => ({
      name,
      instances: members.map(({ name: { instance }, member }) => ({ name: instance, topics: member.assignments })),
    }))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#sweeping)
    const all = [...this.#members.values()]
    this.#members.clear()
    await Promise.allSettled(all.map(({ member }) => member.leave()))
  }

  #findOrMake(name: InstanceName, settings: MemberSettings): GroupMember {
    const { clients, reader, instancesMax, log, now } = this.#options
    const key = keyOf(name)
    if (this.#members.has(key)) return this.find(name)
    if (this.#isClosed) throw new GatewayError(503, 'the gateway is stopping')
    if (this.#members.size >= instancesMax) {
      throw new GatewayError(429, `there are ${instancesMax} consumer instances, which is all; delete one, or wait until one expires`)
    }
    const member = new GroupMember({ consumer: clients.member(name.group), reader, settings, log, now })
    this.#members.set(key, { name, member, isLeaving: false, leaveAt: 0 })
    return member
  }

  #findInstance({ group, instance }: InstanceName): Instance {
    const found = this.#members.get(keyOf({ group, instance }))
    if (!found) throw new GatewayError(404, `there is no instance ${instance} of group ${group} here; it is made by the first consume`)
    if (found.isLeaving) throw new GatewayError(409, `instance ${instance} of group ${group} is just leaving it; try again`)
    return found
  }

  #sweep(): void {
    const { instanceIdleMs, log, now } = this.#options
    for (const instance of this.#members.values()) {
      const { name, member } = instance
      if (instance.isLeaving) continue
      if (member.idleMs < instanceIdleMs) void member.commitIfDue()
      else if (now() >= instance.leaveAt) {
        instance.leaveAt = now() + leaveAgainMs
        this.remove(name).then(
          () => log.info(name, 'an idle consumer instance left its group'),
          (error: unknown) => log.warn({ err: error, ...name }, 'an idle consumer instance cannot leave its group yet'),
        )
      }
    }
  }
}

/** Neither name may hold a slash. */
function keyOf({ group, instance }: InstanceName): string {
  return `${group}/${instance}`
}
