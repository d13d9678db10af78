// A schema as a list of its fields; what lies deeper is folded.
import type { Schema } from './api-document.ts'

export function SchemaFields({ schema }: { schema: Schema }) {
  const parts = schema.anyOf ?? schema.oneOf
  if (parts) {
    return (
      <>
        {parts.map((part, i) => (
          <details open={i === 0}>
            <summary class="quiet">{i === 0 ? 'either' : 'or'}</summary>
            <SchemaFields schema={part} />
          </details>
        ))}
      </>
    )
  }
  if (schema.items?.properties) return <SchemaFields schema={schema.items} />
  const fields = Object.entries(schema.properties ?? {})
  if (fields.length === 0) return <p class="quiet">{typeText(schema)}</p>
  return (
    <dl>
      {fields.map(([name, field]) => (
        <Field name={name} schema={field} isRequired={schema.required?.includes(name) ?? false} />
      ))}
    </dl>
  )
}

function Field({ name, schema, isRequired }: { name: string; schema: Schema; isRequired: boolean }) {
  const inner =
    schema.contentSchema ??
    (schema.items?.properties || schema.items?.anyOf ? schema.items : schema.properties || schema.anyOf ? schema : undefined)
  return (
    <>
      <dt>
        <code>{name}</code>
        <span class="type">{typeText(schema)}</span>
        {isRequired ? <span class="required">required</span> : null}
      </dt>
      <dd>
        {schema.description}
        {inner ? (
          <details>
            <summary class="quiet">fields</summary>
            <SchemaFields schema={inner} />
          </details>
        ) : null}
      </dd>
    </>
  )
}

/** Type and bounds in a few words. */
export function typeText(schema: Schema): string {
  const {
    type,
    enum: values,
    items,
    anyOf,
    oneOf,
    format,
    minimum,
    exclusiveMinimum,
    maximum,
    minLength,
    maxLength,
    minItems,
    maxItems,
    contentSchema,
  } = schema
  const said = values
    ? values.map((value) => JSON.stringify(value)).join(' | ')
    : anyOf || oneOf
      ? 'one of several'
      : type === undefined
        ? 'any JSON'
        : [type]
            .flat()
            .map((name) =>
              name === 'array' && items
                ? `array of ${typeText(items)}`
                : name === 'string' && format
                  ? format
                  : name === 'string' && contentSchema
                    ? 'JSON text'
                    : name,
            )
            .join(' or ')
  const low = minimum ?? (exclusiveMinimum === undefined ? undefined : exclusiveMinimum + 1)
  // The bounds of safe integers are the bounds of JSON numbers, and say nothing.
  const high = maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum
  const bounds = [range(low, high, ''), range(minLength, maxLength, ' characters'), range(minItems, maxItems, ' items')].filter(Boolean)
  const initial = schema.default === undefined ? [] : [`default ${JSON.stringify(schema.default)}`]
  return [said, ...bounds, ...initial].join(', ')
}

function range(low: number | undefined, high: number | undefined, unit: string): string {
  const text = (value: number) => value.toLocaleString('en')
  if (low === undefined && high === undefined) return ''
  if (high === undefined) return `at least ${text(low ?? 0)}${low === 1 ? unit.replace(/s$/, '') : unit}`
  return low === undefined ? `at most ${text(high)}${unit}` : `${text(low)} to ${text(high)}${unit}`
}
