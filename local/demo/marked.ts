import { marked } from 'marked'

export default ({ markdown }: { markdown: string }) => marked.parse(markdown, { gfm: false })
