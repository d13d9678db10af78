// Shapes of the demo's packages that ship without types.
declare module 'commonmark-spec' {
  const spec: { tests: { number: number; section: string; markdown: string; html: string }[] }
  export default spec
}
declare module 'commonmark' {
  type Node = object
  export class Parser {
    parse(markdown: string): Node
  }
  export class HtmlRenderer {
    render(node: Node): string
  }
}
