// What a caller is told when a call fails, in the shape that the client knows: `{result, error, status}` (its class UpstashError).
import { findErrorBy } from '@platformatic/kafka'

export const errorStatuses = [400, 401, 403, 404, 409, 411, 413, 429, 500, 503] as const
export type ErrorStatus = (typeof errorStatuses)[number]

export class GatewayError extends Error {
  readonly status: ErrorStatus

  constructor(status: ErrorStatus, message: string, options?: ErrorOptions) {
    super(message, options)
    this.status = status
  }
}

export function errorBody({ message, status }: GatewayError): { result: string; error: string; status: number } {
  return { result: 'Error', error: message, status }
}

/** Kafka's own refusals that a caller can do something about: https://kafka.apache.org/protocol#protocol_error_codes */
const refusals: [apiId: string, status: ErrorStatus, message: string][] = [
  ['MESSAGE_TOO_LARGE', 413, 'the messages are larger than the topic allows'],
  ['RECORD_LIST_TOO_LARGE', 413, 'the messages are larger than the topic allows'],
  ['INVALID_TIMESTAMP', 400, 'timestamp is outside what the topic allows'],
  ['OFFSET_OUT_OF_RANGE', 400, 'offset is outside what the partition holds'],
  ['INVALID_TOPIC_EXCEPTION', 400, 'topic is no valid name'],
  ['UNKNOWN_TOPIC_OR_PARTITION', 404, 'topic or partition does not exist'],
  ['TOPIC_AUTHORIZATION_FAILED', 403, 'Kafka does not allow the gateway this topic'],
  ['GROUP_AUTHORIZATION_FAILED', 403, 'Kafka does not allow the gateway this consumer group'],
  ['INCONSISTENT_GROUP_PROTOCOL', 409, 'the consumer group is in use by consumers of another kind'],
]

/** What Kafka's client threw, as an answer; its words and the broker's addresses stay in `cause`, for the log. */
export function asGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const refusal = refusals.find(([apiId]) => findErrorBy(error, 'apiId', apiId) !== null)
  if (refusal !== undefined) return new GatewayError(refusal[1], refusal[2], { cause: error })
  const isKafkas = 'code' in error && typeof error.code === 'string' && error.code.startsWith('PLT_KFK_')
  if (isKafkas) return new GatewayError(503, 'Kafka does not answer as it should; try again', { cause: error })
  return new GatewayError(500, 'the gateway failed; its log says why', { cause: error })
}
