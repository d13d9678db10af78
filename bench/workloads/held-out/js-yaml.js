import { dump, load } from 'js-yaml'

export default ({ yaml }) => {
  const document = load(yaml)
  return [JSON.stringify(document).length, dump(document)]
}
