import { expect, test } from 'vitest'
import { differences } from './hold-to-budget.ts'

test('what is as it was is no difference', () => {
  expect(differences({ fuel: 100, pages: 0 }, { fuel: 100, pages: 0 })).toEqual([])
})

test('more and less are named, with how much', () => {
  expect(differences({ fuel: 200 }, { fuel: 203 })).toEqual(['fuel grew by 3 (1.50 %): 200 -> 203'])
  expect(differences({ fuel: 200 }, { fuel: 199 })).toEqual(['fuel shrank by 1 (-0.50 %): 200 -> 199'])
  expect(differences({ requests: 0 }, { requests: 1 })).toEqual(['requests grew by 1: 0 -> 1'])
})

test('a size may differ by its share, and by no more', () => {
  expect(differences({ gzipBytes: 1_000 }, { gzipBytes: 1_020 }, 0.02)).toEqual([])
  expect(differences({ gzipBytes: 1_000 }, { gzipBytes: 1_021 }, 0.02)).toHaveLength(1)
  expect(differences({ gzipBytes: 1_000 }, { gzipBytes: 979 }, 0.02)).toHaveLength(1)
})

test('nothing is measured without a budget, and no budget goes unmeasured', () => {
  expect(differences({ fuel: 1 }, { pages: 1 })).toEqual(['fuel was not measured; its budget is 1', 'pages is 1, and has no budget'])
})
