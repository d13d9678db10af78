import Handlebars from 'handlebars/dist/cjs/handlebars.js'

export default ({ template, records }) => {
  const handlebars = Handlebars.create()
  handlebars.registerHelper('money', (amount) => amount.toFixed(2))
  handlebars.registerPartial('tags', '{{#each tags}}<i>{{this}}</i>{{/each}}')
  return handlebars.compile(template)({ title: 'Orders', records })
}
