import { micromark } from 'micromark'

export default ({ markdown }: { markdown: string }) => micromark(markdown, { allowDangerousHtml: true, allowDangerousProtocol: true })
