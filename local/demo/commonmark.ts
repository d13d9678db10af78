import { HtmlRenderer, Parser } from 'commonmark'

const parser = new Parser()
const renderer = new HtmlRenderer()

export default ({ markdown }: { markdown: string }) => renderer.render(parser.parse(markdown))
