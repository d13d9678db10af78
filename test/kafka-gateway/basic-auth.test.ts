import { expect, test } from 'vitest'
import { basicAuth } from '../../kafka-gateway/basic-auth.ts'

const isAllowed = basicAuth({ username: 'user', password: 'pass' })
const basic = (text: string) => Buffer.from(text).toString('base64')

test('the user with the password, whatever the case of the scheme', () => {
  expect(isAllowed(`Basic ${basic('user:pass')}`)).toBe(true)
  expect(isAllowed(`basic ${basic('user:pass')}`)).toBe(true)
})

test.each([
  undefined,
  '',
  'Basic',
  'Basic ',
  basic('user:pass'),
  `Bearer ${basic('user:pass')}`,
  'Basic user:pass',
  `Basic ${basic('user:pass2')}`,
  `Basic ${basic('user:pas')}`,
  `Basic ${basic('other:pass')}`,
])('%s is nobody', (authorization) => {
  expect(isAllowed(authorization)).toBe(false)
})
