// What is said about the weather, and a process whose clock follows it: a clock that did not move would make every jump a calm.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openWeather, type Weather } from './weather.ts'

const telling = `setInterval(() => console.log(JSON.stringify([Date.now(), new Date().getTime(), new Date(5).getTime(), new Date() instanceof Date])), 20)`

let directory: string
let weather: Weather

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bounty-weather-'))
  weather = await openWeather(join(directory, 'weather'))
})
afterEach(async () => {
  await weather.close()
  rmSync(directory, { recursive: true })
})

test('the clock of a host that was started with it jumps back and ahead, and comes right again', async () => {
  const { hostImport, hostSettings } = weather.between
  const host = spawn('node_modules/node/bin/node', [`--import=./${hostImport}`, '-e', telling], {
    env: { PATH: process.env['PATH'] ?? '', ...hostSettings('host-2') },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let told: unknown[] = []
  host.stdout.on('data', (chunk) => (told = JSON.parse(String(chunk).trim().split('\n').at(-1) ?? '[]')))
  try {
    for (const byMs of [0, -90_000, 150_000, 0]) {
      weather.moveClock('host-2', byMs)
      weather.moveClock('host', 7_000_000)
      await vi.waitFor(
        () => {
          const [now, made, of, isDate] = told
          for (const at of [now, made]) expect(Math.abs(Number(at) - Date.now() - byMs)).toBeLessThan(30_000)
          expect([of, isDate]).toEqual([5, true])
        },
        { timeout: 20_000 },
      )
    }
  } finally {
    host.kill('SIGKILL')
    await once(host, 'exit')
  }
})

test('the edge asks what its clock is off by and whether messages come again, and says how many did', async () => {
  const url = weather.between.workerBindings['WEATHER_URL'] ?? ''
  const look = async () => (await fetch(url)).json()
  expect(await look()).toEqual({ clockOffsetMs: 0, redelivers: false })
  weather.moveClock('edge', -61_000)
  const end = weather.redeliver()
  const endOther = weather.redeliver()
  end()
  expect(await look()).toEqual({ clockOffsetMs: -61_000, redelivers: true })
  endOther()
  expect(await look()).toEqual({ clockOffsetMs: -61_000, redelivers: false })
  await fetch(url, { method: 'POST', body: '3' })
  expect(weather.sentAgain()).toBe(3)
})
