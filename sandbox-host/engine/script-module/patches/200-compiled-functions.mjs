// What compiled functions (../compiled.c) need of the interpreter: a place in a function's bytecode for the index of its compiled form, which
// calls go to; an entry that goes on with an activation that compiled code began; and the interpreter's loop once more, for one opcode, made
// from its own text, so that the two cannot drift apart.
export const file = 'quickjs.c'

const callFlags = '#define JS_CALL_FLAG_GENERATOR   (1 << 2)\n'
const functionHead = `/* argv[] is modified if (flags & JS_CALL_FLAG_COPY_ARGV) = 0. */
static JSValue JS_CallInternal(JSContext *caller_ctx, JSValueConst func_obj,`
const functionEnd = '#ifdef OPCODE_ASM_LABEL\n#pragma GCC diagnostic pop\n#endif\n\nJSValue JS_Call(JSContext *ctx'

const frame = `
/* sf comes first: what walks the frames sees it. The arguments that were copied, the variables, the stack and the references to variables
   follow, as the interpreter lays them out. */
typedef struct CompiledFrame {
    JSStackFrame sf;
    JSContext *caller_ctx;
    int argc;
    JSValue *argv;
    JSValue *local_buf;
    JSValue this_obj;
    JSValue new_target;
    JSValue *stack_buf;
    const uint8_t *pc;
    JSValue *sp;
    int is_throwing;
} CompiledFrame;

typedef JSValue CompiledFunction(JSContext *caller_ctx, JSValueConst func_obj, JSValueConst this_obj, JSValueConst new_target,
                                 int argc, JSValue *argv, int flags);

`

const resume = `    if (unlikely(flags & JS_CALL_FLAG_RESUME)) {
        CompiledFrame *frame = JS_VALUE_GET_PTR(func_obj);
        sf = &frame->sf;
        func_obj = sf->cur_func;
        this_obj = frame->this_obj;
        new_target = frame->new_target;
        argc = frame->argc;
        argv = frame->argv;
        p = JS_VALUE_GET_OBJ(func_obj);
        b = p->u.func.function_bytecode;
        ctx = b->realm;
        var_refs = p->u.func.var_refs;
        local_buf = frame->local_buf;
        arg_buf = sf->arg_buf;
        var_buf = sf->var_buf;
        stack_buf = frame->stack_buf;
        sp = frame->sp;
        pc = frame->pc;
        if (frame->is_throwing)
            goto exception;
        else
            goto restart;
    }
`

const call = `    if (b->compiled)
        return ((CompiledFunction *)b->compiled)(caller_ctx, func_obj, this_obj, new_target, argc, argv, flags);

`

const stepHead = `
#undef SWITCH
#undef CASE
#undef DEFAULT
#undef BREAK
#define SWITCH(pc) switch (opcode = *pc++)
#define CASE(op) case op
#define DEFAULT default
#define BREAK goto stepped

/* One opcode of an activation that compiled code began; neither a jump nor an end. Returns whether it threw. */
static no_inline int compiled_step_opcode(CompiledFrame *frame, const uint8_t *pc, JSValue *sp)
{
    JSStackFrame *sf = &frame->sf;
    JSObject *p = JS_VALUE_GET_OBJ(sf->cur_func);
    JSFunctionBytecode *b = p->u.func.function_bytecode;
    JSContext *ctx = b->realm, *caller_ctx = frame->caller_ctx;
    JSRuntime *rt = ctx->rt;
    JSValue func_obj = sf->cur_func, this_obj = frame->this_obj, new_target = frame->new_target, ret_val;
    int argc = frame->argc, opcode, i;
    JSValue *argv = frame->argv, *arg_buf = sf->arg_buf, *var_buf = sf->var_buf, *stack_buf = frame->stack_buf;
    JSVarRef **var_refs = p->u.func.var_refs;
`

const stepTail = `
 stepped:
    frame->sp = sp;
    return 0;
 exception:
    sf->cur_pc = pc;
    frame->sp = sp;
    return 1;
 done:
 done_generator:
    abort();
}

`

export default function patch(text) {
  const from = once(text, functionHead)
  const to = once(text, functionEnd)
  const interpreter = text.slice(from, to)
  const loop = interpreter.slice(once(interpreter, ' restart:\n'), once(interpreter, ' exception:\n'))
  const step = stepHead + replace(loop, ' restart:\n    for(;;) {', '    {') + stepTail
  let hooked = replace(interpreter, '    if (js_poll_interrupts(caller_ctx))\n        return JS_EXCEPTION;\n', (poll) => resume + poll)
  hooked = replace(hooked, '    if (unlikely(argc < b->arg_count', (condition) => call + condition)
  // Without it a stack that is taken before anything says where it is names whatever the memory held: nothing that compiled code could repeat.
  hooked = replace(hooked, '    pc = b->byte_code_buf;\n', (start) => `${start}    sf->cur_pc = pc + 1;\n`)
  let patched = text.slice(0, from) + frame + hooked + step + text.slice(to)
  patched = replace(patched, callFlags, (flags) => `${flags}#define JS_CALL_FLAG_RESUME      (1 << 5)\n`)
  return replace(
    patched,
    '    JSContext *realm; /* function realm */\n    JSValue *cpool;',
    (fields) => `    uint32_t compiled; /* index in the table, 0 if interpreted */\n${fields}`,
  )
}

function once(text, part) {
  const at = text.indexOf(part)
  if (at < 0 || text.includes(part, at + 1)) throw new Error(`QuickJS does not have exactly one: ${part}`)
  return at
}

function replace(text, part, by) {
  const at = once(text, part)
  return text.slice(0, at) + (typeof by === 'string' ? by : by(part)) + text.slice(at + part.length)
}
