// How this process speaks to Kafka: the options that all of its clients share, and one of each kind.
import { Admin, Consumer, Producer } from '@platformatic/kafka'
import type { KafkaAccess } from './config.ts'
import { waitMsMax } from './requests.ts'

/** What the broker takes to have a message on all replicas in sync, at most. */
const replicationMsMax = 2_500
/** A broker that is silent for longer counts as away. */
const answerMsMax = 4_000

export type KafkaClients = {
  admin: () => Admin
  producer: () => Producer
  /** Joins the group. */
  member: (group: string) => Consumer
  /** Belongs to no group; one request at a time, because its fetch session is one conversation. */
  reader: () => Consumer
}

export function kafkaClients({ brokers, isEncrypted, sasl }: KafkaAccess): KafkaClients {
  const shared = {
    clientId: 'kafka-gateway',
    bootstrapBrokers: brokers,
    connectTimeout: 2_000,
    timeout: replicationMsMax,
    requestTimeout: answerMsMax,
    // Whoever asks tries again, too; this covers a connection that was lost and a coordinator that moves.
    retries: 2,
    retryDelay: 250,
    autocreateTopics: false,
    ...(isEncrypted ? { tls: {} } : {}),
    ...(sasl ? { sasl } : {}),
  }
  const rebalanceTimeout = 15_000
  // A gateway that was killed leaves its partitions to others after the session; brokers allow from 6 s on.
  const group = { sessionTimeout: 10_000, heartbeatInterval: 1_500, rebalanceTimeout }
  // The broker answers a join when all members are there.
  const requestTimeout = rebalanceTimeout + answerMsMax
  return {
    admin: () => new Admin(shared),
    producer: () => new Producer(shared),
    member: (groupId) => new Consumer({ ...shared, ...group, requestTimeout, groupId, autocommit: false }),
    // Its group is never joined; a lost session is told by an error and begun anew with the next try.
    reader: () => new Consumer({ ...shared, requestTimeout: waitMsMax + answerMsMax, retryDelay: 50, groupId: 'kafka-gateway-reader' }),
  }
}
