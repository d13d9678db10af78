// `npm run test:kafka`: what only a real broker can prove. It needs Java and, for the first time, Maven, so `npm test` leaves it out.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/kafka/**/*.test.ts'],
    globalSetup: ['test/kafka/global-setup.ts'],
    maxWorkers: 2,
    testTimeout: 60_000,
    // A broker's first start on a busy machine.
    hookTimeout: 120_000,
  },
})
