import MarkdownIt from 'markdown-it'

const renderer = MarkdownIt('commonmark')

export default ({ markdown }: { markdown: string }) => renderer.render(markdown)
