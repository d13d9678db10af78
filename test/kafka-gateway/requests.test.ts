import { describe, expect, test } from 'vitest'
import { GatewayError } from '../../kafka-gateway/gateway-error.ts'
import {
  batchMax,
  checkSizes,
  commitSchema,
  consumeSchema,
  consumeSettingsSchema,
  fetchSchema,
  instanceSchema,
  messageBytesMax,
  parse,
  parseJson,
  produceSchema,
  timestampSchema,
  topicPartitionsSchema,
  waitMsMax,
} from '../../kafka-gateway/requests.ts'

const topic = 't'
const message = { topic, value: 'v' }

describe('what the client sends is taken', () => {
  test.each([
    ['one message is a list of one', produceSchema, message, [message]],
    ['a batch', produceSchema, [message, message], [message, message]],
    [
      'every option',
      produceSchema,
      { ...message, key: '', partition: 0, timestamp: 0, headers: [] },
      [{ ...message, key: '', partition: 0, timestamp: 0, headers: [] }],
    ],
    ['an empty value', produceSchema, { topic, value: '' }, [{ topic, value: '' }]],
    ['fetch of one place', fetchSchema, { topic, partition: 0, offset: 1 }, { from: [{ topic, partition: 0, offset: 1 }], waitMs: 1_000 }],
    [
      'fetch of a list',
      fetchSchema,
      { topicPartitionOffsets: [{ topic, partition: 0, offset: 1 }], timeout: 0 },
      { from: [{ topic, partition: 0, offset: 1 }], waitMs: 0 },
    ],
    [
      'fetch of both',
      fetchSchema,
      { topic, partition: 0, offset: 0, topicPartitionOffsets: [{ topic, partition: 1, offset: 0 }] },
      {
        from: [
          { topic, partition: 0, offset: 0 },
          { topic, partition: 1, offset: 0 },
        ],
        waitMs: 1_000,
      },
    ],
    ['consume of one topic', consumeSchema, { topic }, { topics: ['t'], waitMs: 1_000 }],
    [
      'consume of topics, each once',
      consumeSchema,
      { topics: ['t', 'u', 't'], timeout: waitMsMax },
      { topics: ['t', 'u'], waitMs: waitMsMax },
    ],
    ['commit of one', commitSchema, { topic, partition: 0, offset: 3 }, [{ topic, partition: 0, offset: 3 }]],
    ['places', topicPartitionsSchema, [{ topic, partition: 0 }], [{ topic, partition: 0 }]],
    ['an instance', instanceSchema, { group: 'my.group-1', instance: 'a_b' }, { group: 'my.group-1', instance: 'a_b' }],
    ['a time', timestampSchema, { timestamp: '0' }, { timestamp: '0' }],
    [
      'no settings',
      consumeSettingsSchema,
      { host: 'x' },
      { 'kafka-enable-auto-commit': 'true', 'kafka-auto-commit-interval': 5_000, 'kafka-auto-offset-reset': 'latest' },
    ],
  ])('%s', (_, schema, input, output) => {
    expect(parse(schema, input)).toEqual(output)
  })
})

describe('what is refused, by the field that it names', () => {
  test.each([
    ['an unknown field', produceSchema, { ...message, acks: 0 }, /acks/],
    ['a value that is no text', produceSchema, { topic, value: { a: 1 } }, /^value: /],
    ['the fault of a batch by its place', produceSchema, [message, { topic, value: 1 }], /^1\.value: /],
    ['no message', produceSchema, [], /^body: /],
    ['too many messages', produceSchema, Array.from({ length: batchMax + 1 }, () => message), /^body: /],
    ['a negative partition', produceSchema, { ...message, partition: -1 }, /^partition: /],
    ['half a partition', produceSchema, { ...message, partition: 0.5 }, /^partition: /],
    ['a partition beyond 32 bits', produceSchema, { ...message, partition: 2 ** 31 }, /^partition: /],
    ["a topic of Kafka's own", produceSchema, { topic: '__consumer_offsets', value: '' }, /^topic: /],
    ['a topic with a slash', produceSchema, { topic: 'a/b', value: '' }, /^topic: /],
    ['a topic that is too long', produceSchema, { topic: 'x'.repeat(250), value: '' }, /^topic: /],
    ['a header without a name', produceSchema, { ...message, headers: [{ key: '', value: '' }] }, /^headers\.0\.key: /],
    ['too many headers', produceSchema, { ...message, headers: Array.from({ length: 65 }, () => ({ key: 'k', value: '' })) }, /^headers: /],
    ['fetch of nothing', fetchSchema, {}, /must name a topic/],
    ['fetch of half a place', fetchSchema, { topic, partition: 0 }, /go together/],
    ['fetch that waits too long', fetchSchema, { topic, partition: 0, offset: 0, timeout: waitMsMax + 1 }, /^timeout: /],
    ['a negative offset', fetchSchema, { topic, partition: 0, offset: -1 }, /^(offset|body): /],
    ['consume of nothing', consumeSchema, {}, /either topic or topics/],
    ['consume of both', consumeSchema, { topic, topics: [topic] }, /either topic or topics/],
    ['consume of no topics', consumeSchema, { topics: [] }, /^topics: /],
    ['a commit without an offset', commitSchema, { topic, partition: 0 }, /^offset: /],
    ['a group with a slash', instanceSchema, { group: 'a/b', instance: 'i' }, /^group: /],
    ['a group of a line', instanceSchema, { group: 'a\nb', instance: 'i' }, /^group: /],
    ['a negative time', timestampSchema, { timestamp: '-1' }, /^timestamp: /],
    ['a date', timestampSchema, { timestamp: '2000-01-01' }, /^timestamp: /],
    ['auto-commit of another word', consumeSettingsSchema, { 'kafka-enable-auto-commit': 'yes' }, /^kafka-enable-auto-commit: /],
    ['auto-commit all the time', consumeSettingsSchema, { 'kafka-auto-commit-interval': '99' }, /^kafka-auto-commit-interval: /],
    ['another reset', consumeSettingsSchema, { 'kafka-auto-offset-reset': 'middle' }, /^kafka-auto-offset-reset: /],
    ['nothing', commitSchema, null, /^body: /],
  ])('%s', (_, schema, input, message_) => {
    const refused = () => parse(schema, input)
    expect(refused).toThrow(GatewayError)
    expect(refused).toThrow(message_)
    expect(refused).toThrow(expect.objectContaining({ status: 400 }))
  })

  test('a body that is no JSON', () => {
    expect(() => parseJson(Buffer.from('{'))).toThrow('the body of 1 bytes is not JSON')
  })
})

test('key, value and headers of a message count in bytes, up to the limit and no further', () => {
  const value = 'ä'.repeat((messageBytesMax - 6) / 2)
  const headers = [{ key: 'hh', value: 'v' }]
  checkSizes([{ topic, key: 'key', value, headers }])
  expect(() => checkSizes([{ topic, key: 'key+', value, headers }])).toThrow(expect.objectContaining({ status: 413 }))
})
