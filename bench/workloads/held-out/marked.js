import { marked } from 'marked'

export default ({ text }) => marked.parse(text)
