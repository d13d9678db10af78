/**
 * Runs in the browser, on pages of something that is still under way: asks for the page again and puts in what has changed, until the page
 * no longer says that there is more to come. Without it, or without JavaScript, the page says the same when it is loaded again.
 */
export const followScript = `'use strict'
const slowestMs = 30000
let waitMs = 1500

async function look() {
  if (!document.hidden) {
    try {
      const response = await fetch(location.href, { headers: { accept: 'text/html' }, credentials: 'same-origin' })
      if (response.status === 401 || response.status === 404) return location.reload()
      if (!response.ok) throw new Error(String(response.status))
      const fresh = new DOMParser().parseFromString(await response.text(), 'text/html')
      // Asked before its parts move into this page.
      const goesOn = fresh.querySelector('[data-follow]') !== null
      for (const part of fresh.querySelectorAll('[data-live]')) {
        const shown = document.getElementById(part.id)
        if (shown && shown.innerHTML !== part.innerHTML) shown.replaceChildren(...part.childNodes)
      }
      document.title = fresh.title
      waitMs = 1500
      if (!goesOn) return
    } catch {
      waitMs = Math.min(waitMs * 2, slowestMs)
    }
  }
  setTimeout(look, waitMs)
}

if (document.querySelector('[data-follow]')) setTimeout(look, waitMs)
`
