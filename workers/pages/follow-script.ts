/**
 * Runs in the browser, on pages of something that is still under way: when an event says that something has changed, and now and then
 * without one, asks for the page again and puts in what is new, until the page no longer says that there is more to come. Without it, or
 * without JavaScript, the page says the same when it is loaded again.
 */
export const followScript = `'use strict'
// Events come in bursts; the page is asked for at most so often.
const soonMs = 700
const seldomMs = 10000
const path = document.querySelector('[data-follow]')?.dataset.follow
const events = path && new EventSource(path)
let timer
let dueAt = Infinity

function lookIn(ms) {
  if (dueAt <= Date.now() + ms) return
  clearTimeout(timer)
  dueAt = Date.now() + ms
  timer = setTimeout(look, ms)
}

async function look() {
  dueAt = Infinity
  let goesOn = true
  try {
    const response = await fetch(location.href, { headers: { accept: 'text/html' }, credentials: 'same-origin' })
    if (response.status === 401 || response.status === 404) return location.reload()
    if (response.ok) goesOn = show(new DOMParser().parseFromString(await response.text(), 'text/html'))
  } catch {
    // The network is away; it is asked for again.
  }
  if (goesOn) lookIn(seldomMs)
  else events.close()
}

function show(fresh) {
  // Asked before its parts move into this page.
  const goesOn = fresh.querySelector('[data-follow]') !== null
  for (const part of fresh.querySelectorAll('[data-live]')) {
    const shown = document.getElementById(part.id)
    if (shown && shown.innerHTML !== part.innerHTML) shown.replaceChildren(...part.childNodes)
  }
  document.title = fresh.title
  return goesOn
}

if (events) {
  for (const name of ['verdict', 'progress', 'finished']) events.addEventListener(name, () => lookIn(soonMs))
  lookIn(seldomMs)
}
`
