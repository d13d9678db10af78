import Mustache from 'mustache'

export default ({ template, records }) =>
  Mustache.render(template, { title: 'Orders', records }, { tags: '{{#tags}}<i>{{.}}</i>{{/tags}}' })
