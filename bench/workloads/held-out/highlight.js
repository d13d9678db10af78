import highlighter from 'highlight.js/lib/core'
import css from 'highlight.js/lib/languages/css'
import javascript from 'highlight.js/lib/languages/javascript'

export default ({ source, styles }) => {
  highlighter.registerLanguage('javascript', javascript)
  highlighter.registerLanguage('css', css)
  return [highlighter.highlight(source, { language: 'javascript' }).value, highlighter.highlight(styles, { language: 'css' }).value]
}
