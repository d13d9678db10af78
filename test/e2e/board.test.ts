// The board in a browser, on the real cloud: what somebody sees who comes by, follows a bounty, and signs in.
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { loadDemo } from '../../local/demo.ts'
import { call, deployScript, newAccount, fund, uniqueName } from './caller.ts'

const executablePath = '/usr/bin/chromium'
const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run']
const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync']
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const hasBrowser = existsSync(executablePath)
if (!hasBrowser && process.env['CI'] !== 'true') {
  console.warn(`\nThe board was not opened in a browser: there is no ${executablePath} (Debian's package chromium).\n`)
}

describe.skipIf(!hasBrowser && process.env['CI'] !== 'true')('the board', () => {
  const { baseUrl, demoKey } = inject('stack')
  let browser: Browser
  let bountyId: string

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: [...flags, ...quiet] })
    bountyId = (await loadDemo(inject('stack'))).bountyId
  }, 180_000)
  afterAll(() => browser?.close())

  /** @returns a page, and what the browser complained of: errors of scripts, of loading, and of the policy */
  async function open(
    options: Parameters<Browser['newContext']>[0] = {},
  ): Promise<{ context: BrowserContext; page: Page; complaints: string[] }> {
    const context = await browser.newContext(options)
    const page = await context.newPage()
    const complaints: string[] = []
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(`${page.url()} ${message.text()}`)
    })
    page.on('pageerror', (error) => complaints.push(`${page.url()} ${error.message}`))
    return { context, page, complaints }
  }

  async function signIn(page: Page, key: string): Promise<void> {
    await page.goto(`${baseUrl}/account`)
    await page.getByLabel('API key').fill(key)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('button', { name: 'Sign out' }).waitFor()
  }

  async function markedSubmission(): Promise<string> {
    const { body } = await call('GET', `/api/leaderboard?bounty=${bountyId}&limit=100`)
    return body.items.find(({ agentName }: { agentName: string }) => agentName === 'marked').submissionId
  }

  test('leads from the list to a bounty, its ranking and its cases, with the mouse and with the keyboard', async () => {
    const { context, page, complaints } = await open()
    await page.goto(baseUrl)
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.textContent.trim()')).toBe('Skip to the content')
    await page.goto(`${baseUrl}/bounties/${bountyId}`)
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Render CommonMark')
    const rows = page.getByRole('table').first().getByRole('row')
    expect(await rows.nth(1).textContent()).toMatch(/^1(commonmark|micromark)652 of 652/)
    await page.getByText('1 Tabs', { exact: true }).click()
    expect(await page.locator('details[open] pre').first().textContent()).toContain('markdown')
    await page.getByRole('link', { name: 'Next cases' }).press('Enter')
    await page.waitForURL('**cases=2**')
    expect(complaints).toEqual([])
    await context.close()
  })

  test('shows whoever signs in the account and the verdicts, and nothing any more after signing out', async () => {
    const { context, page, complaints } = await open()
    await signIn(page, demoKey)
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('demo')
    expect(await page.evaluate('document.cookie')).toBe('')
    await page.goto(`${baseUrl}/bounties/${bountyId}`)
    await page.getByRole('row', { name: 'marked' }).getByRole('link', { name: 'your verdicts' }).click()
    await page.waitForURL('**/submissions/*')
    expect(await page.locator('.strip .cell').count()).toBe(652)
    expect(await page.locator('.strip .cell-wrong').count()).toBe(149)
    await page.getByRole('link', { name: 'not accepted' }).click()
    expect(await page.locator('tbody tr').count()).toBe(100)
    const submission = page.url()
    await page.goto(`${baseUrl}/account`)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.waitForURL(`${baseUrl}/`)
    expect(complaints).toEqual([])
    expect((await page.goto(submission))?.status()).toBe(401)
    await context.close()
  })

  test('says all of it without JavaScript, too', async () => {
    const { context, page } = await open({ javaScriptEnabled: false })
    await signIn(page, demoKey)
    await page.goto(`${baseUrl}/submissions/${await markedSubmission()}`)
    expect(await page.locator('tbody tr').count()).toBe(100)
    await page.goto(`${baseUrl}/account`)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.waitForURL(`${baseUrl}/`)
    await context.close()
  })

  test('follows a submission until it is judged, without being loaded again', async () => {
    const owner = await newAccount()
    await fund(owner.id, 10)
    const cases = Array.from({ length: 24 }, (_, i) => ({ input: i, expected: i }))
    const { body: bounty } = await call('POST', '/api/bounties', {
      key: owner.key,
      body: { title: uniqueName('slow'), rewardCredits: 1, mode: 'best', cases },
    })
    // About a second for each case.
    const agentId = await deployScript('export default (x) => { for (let i = 0; i < 4e6; i++); return x }', owner.key)
    const { context, page, complaints } = await open()
    await signIn(page, owner.key)
    const { id } = (await call('POST', `/api/bounties/${bounty.id}/submissions`, { key: owner.key, body: { agentId } })).body
    const stream = page.waitForResponse((response) => response.request().resourceType() === 'eventsource')
    await page.goto(`${baseUrl}/submissions/${id}`)
    const loaded = await page.evaluate('performance.timeOrigin')
    expect((await stream).status()).toBe(200)
    await page.locator('.state-accepted').waitFor({ timeout: 60_000 })
    expect((await call('GET', `/api/submissions/${id}`, { key: owner.key })).body.casesPassed).toBe(24)
    expect(await page.locator('.strip .cell-accepted').count()).toBe(24)
    expect(await page.evaluate('performance.timeOrigin')).toBe(loaded)
    expect(complaints).toEqual([])
    await context.close()
  }, 120_000)

  describe.each([
    ['wide', { viewport: { width: 1280, height: 900 } }],
    ['on a phone', { viewport: { width: 390, height: 844 } }],
    ['small', { viewport: { width: 320, height: 600 } }],
    ['dark', { viewport: { width: 1280, height: 900 }, colorScheme: 'dark' as const }],
  ])('%s', (_name, options) => {
    test('overflows nowhere, and can be read by everybody', async () => {
      const hostile = {
        title: `${'w'.repeat(80)} \u202E<b>🎯`,
        description: 'long'.repeat(2_000),
        rewardCredits: 0,
        deadline: '2099-01-01T00:00:00Z',
      }
      const cases = [{ name: 'n'.repeat(120), input: 'x'.repeat(5_000), expected: { a: 'y'.repeat(500) } }]
      const { body: bounty } = await call('POST', '/api/bounties', { body: { ...hostile, cases } })
      const { context, page, complaints } = await open(options)
      await page.goto(`${baseUrl}/account`)
      expect(await violations(page)).toEqual([])
      await signIn(page, demoKey)
      const own = ['/account', `/submissions/${await markedSubmission()}`]
      for (const path of ['/', '/ranking', '/agents', `/bounties/${bountyId}`, `/bounties/${bounty.id}`, ...own]) {
        await page.goto(`${baseUrl}${path}`)
        await page.evaluate("document.querySelector('details')?.setAttribute('open', '')")
        const beyond = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
        expect([path, beyond]).toEqual([path, 0])
        expect([path, await violations(page)]).toEqual([path, []])
      }
      expect(complaints).toEqual([])
      await context.close()
    })
  })

  async function violations(page: Page): Promise<string[]> {
    // Through the debugger, which no policy of a page holds back.
    await page.evaluate(axe)
    const results = await page.evaluate<AxeResults>('axe.run()')
    return results.violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes[0]?.html}`)
  }
})
