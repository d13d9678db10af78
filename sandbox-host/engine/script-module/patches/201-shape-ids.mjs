// Gives each state of each shape a number of its own, so that a cache that names one needs neither a reference to the shape nor to be told of
// changes: whatever adds, removes or changes a property, or the prototype, gives the shape the next number.
export const file = 'quickjs.c'

/** @type {[part: string, by: (part: string) => string][]} */
const places = [
  [
    '    JSObject *proto;\n    uint32_t hash_table[];',
    (fields) => `    uint32_t id; /* of its present state, never used again */\n${fields}`,
  ],
  [
    "/* create a new empty shape with prototype 'proto'. It is not hashed */",
    (comment) => `static uint32_t shape_id_last;

static void js_shape_changed(JSShape *sh)
{
    /* No run has the fuel for it. */
    if (++shape_id_last == 0)
        abort();
    sh->id = shape_id_last;
}

${comment}`,
  ],
  ['    sh->deleted_prop_count = 0;\n    sh->is_hashed = FALSE;\n    return sh;', (end) => `    js_shape_changed(sh);\n${end}`],
  [
    '    js_rc(sh)->ref_count = 1;\n    add_gc_object(ctx->rt, &sh->header, JS_GC_OBJ_TYPE_SHAPE);\n    sh->is_hashed = FALSE;\n',
    (copy) => `${copy}    js_shape_changed(sh);\n`,
  ],
  ['    sh->hash_table[h] = sh->prop_count;\n    return 0;', (end) => `    js_shape_changed(sh);\n${end}`],
  [
    '            js_shape_hash_unlink(ctx->rt, sh);\n            sh->is_hashed = FALSE;\n        }\n    }\n    return 0;',
    (end) => end.replace('    return 0;', '    js_shape_changed(sh);\n    return 0;'),
  ],
  [
    '            if (cv->var_kind == JS_VAR_GLOBAL_FUNCTION_DECL &&\n                (prs->flags & JS_PROP_CONFIGURABLE)) {\n',
    (condition) => `${condition}                js_shape_changed(p->shape);\n`,
  ],
]

export default function patch(text) {
  return places.reduce((patched, [part, by]) => {
    const at = patched.indexOf(part)
    if (at < 0 || patched.includes(part, at + 1)) throw new Error(`QuickJS does not have exactly one: ${part}`)
    return patched.slice(0, at) + by(part) + patched.slice(at + part.length)
  }, text)
}
