import markdownIt from 'markdown-it'

export default ({ text }) => markdownIt({ linkify: true, typographer: true }).render(text)
