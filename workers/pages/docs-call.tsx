// One call of the API in the reference.
import type { ApiCall } from './api-document.ts'
import { curlOf, exampleJson } from './docs-example.ts'
import { SchemaFields, typeText } from './docs-schema.tsx'

export function CallSection({ call, origin }: { call: ApiCall; origin: string }) {
  const { id, method, path, summary, parameters, requestBody, responses } = call
  const body = requestBody?.content['application/json']?.schema
  const answers = Object.entries(responses).filter(([status]) => status !== 'default')
  const shown = answers.flatMap(([status, { content }]) => {
    const schema = content['application/json']?.schema
    return schema ? [{ status, schema }] : []
  })[0]
  return (
    <section class="call" id={id} aria-labelledby={`${id}-title`}>
      <h3 id={`${id}-title`}>
        <span class={`method ${method.toLowerCase()}`}>{method}</span>
        <code>{path}</code>
      </h3>
      <p>{summary}.</p>
      <p class="quiet">{accessOf(call)}</p>
      {parameters.length > 0 ? (
        <>
          <h4>Parameters</h4>
          <dl>
            {parameters.map(({ name, in: place, required, schema }) => (
              <>
                <dt>
                  <code>{name}</code>
                  <span class="type">
                    {place}, {typeText(schema)}
                  </span>
                  {required ? <span class="required">required</span> : null}
                </dt>
                <dd>{schema.description}</dd>
              </>
            ))}
          </dl>
        </>
      ) : null}
      {body ? (
        <>
          <h4>Body</h4>
          <SchemaFields schema={body} />
        </>
      ) : null}
      <h4>Answers</h4>
      {answers.map(([status, { description, content }]) => (
        <details>
          <summary>
            <strong>{status}</strong> {description} <span class="type">{Object.keys(content).join(', ')}</span>
          </summary>
          {Object.values(content).map(({ schema }) => (schema ? <SchemaFields schema={schema} /> : null))}
        </details>
      ))}
      <h4>Example</h4>
      <pre tabindex={0}>{curlOf(call, origin)}</pre>
      {shown ? <pre tabindex={0}>{`${shown.status}\n${exampleJson(shown.schema)}`}</pre> : null}
    </section>
  )
}

function accessOf({ security }: ApiCall): string {
  const [role] = security.flatMap((scheme) => Object.values(scheme).flat())
  if (role === undefined) return 'Needs no key.'
  if (role === 'admin') return "Needs the administrator's key."
  return `Needs a key with the scope ${role}.`
}
