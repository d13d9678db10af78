import { NetworkError, ProtocolError } from '@platformatic/kafka'
import { expect, test } from 'vitest'
import { asGatewayError, errorBody, GatewayError } from '../../kafka-gateway/gateway-error.ts'

test('the body is what the client makes its error of', () => {
  expect(errorBody(new GatewayError(404, 'topic t does not exist'))).toEqual({
    result: 'Error',
    error: 'topic t does not exist',
    status: 404,
  })
})

test.each([
  [new GatewayError(409, 'x'), 409],
  [new ProtocolError('MESSAGE_TOO_LARGE'), 413],
  [new ProtocolError('OFFSET_OUT_OF_RANGE'), 400],
  [new ProtocolError('TOPIC_AUTHORIZATION_FAILED'), 403],
  [new ProtocolError('NOT_ENOUGH_REPLICAS'), 503],
  [new NetworkError('connect ECONNREFUSED broker.internal:9092'), 503],
  [new TypeError('undefined is not a function'), 500],
  ['a string', 500],
])('%s is %i', (thrown, status) => {
  expect(asGatewayError(thrown).status).toBe(status)
})

test('addresses and inner words are for the log', () => {
  const error = asGatewayError(new NetworkError('connect ECONNREFUSED broker.internal:9092'))
  expect(error.message).not.toMatch(/broker|ECONN/)
  expect(error.cause).toBeInstanceOf(NetworkError)
})
