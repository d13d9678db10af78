import { expect, test } from 'vitest'
import { partitionOf } from '../../kafka-gateway/produce.ts'

// Of org.apache.kafka.common.utils.Utils: toPositive(murmur2(bytes)) % count; the hashes stand in Kafka's own UtilsTest.
test.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['abc', 479470107],
])('%s lies where Java puts it', (key, hash) => {
  for (const count of [1, 3, 12, 1_000]) expect(partitionOf(Buffer.from(key), count)).toBe((hash & 0x7f_ff_ff_ff) % count)
})
