// What a resolver promises, on the fake and on DNS over HTTPS.
import { describe, expect, test } from 'vitest'
import type { AddressResolver } from '../../shared/webhook-ports.ts'

export type ResolverWorld = { resolver: AddressResolver; names: Map<string, string[]>; fail: (isFailing: boolean) => void }

export function addressesContract(name: string, open: () => ResolverWorld): void {
  describe(`${name} looks names up as the port promises`, () => {
    test('a name stands for its addresses of both kinds', async () => {
      const { resolver, names } = open()
      names.set('two.example.com', ['1.1.1.1', '2606:4700::1111'])
      expect((await resolver.resolve('two.example.com')).toSorted()).toEqual(['1.1.1.1', '2606:4700::1111'])
    })

    test('a name that there is not stands for none', async () => {
      expect(await open().resolver.resolve('nobody.example.com')).toEqual([])
    })

    test('a resolver that cannot say is an error, not a name without addresses', async () => {
      const { resolver, names, fail } = open()
      names.set('one.example.com', ['1.1.1.1'])
      fail(true)
      await expect(resolver.resolve('one.example.com')).rejects.toThrow(/resolver/)
      fail(false)
      expect(await resolver.resolve('one.example.com')).toEqual(['1.1.1.1'])
    })
  })
}
