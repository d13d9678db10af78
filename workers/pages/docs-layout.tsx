// What the pages of the reference share: head, style, way to the main part.
import type { PropsWithChildren } from 'hono/jsx'
import { docsStyle } from './docs-style.ts'

export function DocsLayout({ title, children }: PropsWithChildren<{ title: string }>) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{title}</title>
        <style dangerouslySetInnerHTML={{ __html: docsStyle }} />
      </head>
      <body>
        <a class="skip" href="#main">
          To the main part
        </a>
        {children}
      </body>
    </html>
  )
}
