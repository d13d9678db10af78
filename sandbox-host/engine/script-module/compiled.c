/* What compiled functions (../src/script_compiler) call, and what their compiler must know of QuickJS: the places of fields, the opcodes.
   Part of exports.c. Unless it is said, operands are consumed, as the interpreter's own slow paths do. A helper that can run code of the
   author's, or throw, is given the pc behind its opcode, for the lines in stacks. */

#define CELLS 4096

/* Where the property of one place in the source was found last. Zero until then: no shape has the id 0. */
typedef struct PropertyCell {
    uint32_t shape_id; /* of the receiver */
    uint32_t place; /* bytes from the start of the properties of the object that has it */
    uint32_t holder_id; /* of the receiver's prototype, when that has it; else 0 */
    uint32_t class_word; /* with holder_id: the receiver's class, and that it has no exotic methods */
} PropertyCell;

static PropertyCell property_cells[CELLS];

/* Of the compiled function that calls a helper. */
static inline CompiledFrame *frame_now(void) { return (CompiledFrame *)runtime->current_stack_frame; }

static inline JSContext *realm_of(CompiledFrame *frame)
{
    return JS_VALUE_GET_OBJ(frame->sf.cur_func)->u.func.function_bytecode->realm;
}

static inline JSContext *realm_at(const uint8_t *pc)
{
    CompiledFrame *frame = frame_now();
    frame->sf.cur_pc = pc;
    return realm_of(frame);
}

/* Of what the interpreter does without saying where it is first: a stack must name the place that was told before, and only what goes on in the
   interpreter must know of this one. */
static inline JSValue placed(JSValue result, const uint8_t *pc)
{
    if (unlikely(JS_IsException(result)))
        frame_now()->sf.cur_pc = pc;
    return result;
}

void EXPORT(compiled_free)(JSValue value) { __JS_FreeValueRT(runtime, value); }
JSValue EXPORT(compiled_overflow)(JSContext *ctx) { return JS_ThrowStackOverflow(ctx); }

int EXPORT(compiled_step)(const uint8_t *pc, JSValue *sp) { return compiled_step_opcode(frame_now(), pc, sp); }

/* Goes on in the interpreter to the end of the activation: at frame->pc or, when something was thrown, at whatever catches it. What can throw
   has told sf.cur_pc. */
JSValue EXPORT(compiled_resume)(JSValue *sp, int is_throwing, JSContext *caller, int argc, JSValue *argv, JSValue *locals, JSValue *stack,
                                JSValue this_value, JSValue new_target)
{
    CompiledFrame *frame = frame_now();
    if (is_throwing)
        frame->pc = frame->sf.cur_pc;
    frame->sp = sp;
    frame->is_throwing = is_throwing;
    frame->caller_ctx = caller;
    frame->argc = argc;
    frame->argv = argv;
    frame->local_buf = locals;
    frame->stack_buf = stack;
    frame->this_obj = this_value;
    frame->new_target = new_target;
    return JS_CallInternal(frame->caller_ctx, JS_MKPTR(JS_TAG_INT, frame), JS_UNDEFINED, JS_UNDEFINED, 0, NULL, JS_CALL_FLAG_RESUME);
}

void EXPORT(compiled_close)(void)
{
    CompiledFrame *frame = frame_now();
    close_var_refs(runtime, JS_VALUE_GET_OBJ(frame->sf.cur_func)->u.func.function_bytecode, &frame->sf);
}

void EXPORT(compiled_close_variable)(int index)
{
    CompiledFrame *frame = frame_now();
    JSFunctionBytecode *b = JS_VALUE_GET_OBJ(frame->sf.cur_func)->u.func.function_bytecode;
    close_lexical_var(b->realm, b, &frame->sf, index);
}

JSValue EXPORT(compiled_closure)(const uint8_t *pc, int index)
{
    CompiledFrame *frame = frame_now();
    JSObject *p = JS_VALUE_GET_OBJ(frame->sf.cur_func);
    JSFunctionBytecode *b = p->u.func.function_bytecode;
    return placed(js_closure(b->realm, JS_DupValue(b->realm, b->cpool[index]), p->u.func.var_refs, &frame->sf, FALSE), pc);
}

/* Of the one byte of code before pc. */
JSValue EXPORT(compiled_binary)(JSValue left, JSValue right, const uint8_t *pc)
{
    JSValue stack[2] = { left, right };
    int failed, opcode = pc[-1];
    if (opcode == OP_add && JS_IsString(left) && JS_IsString(right))
        return placed(JS_ConcatString(realm_of(frame_now()), left, right), pc);
    JSContext *ctx = realm_at(pc);
    switch (opcode) {
    case OP_add:
        failed = js_add_slow(ctx, stack + 2);
        break;
    case OP_sub:
    case OP_mul:
    case OP_div:
    case OP_mod:
    case OP_pow:
        failed = js_binary_arith_slow(ctx, stack + 2, opcode);
        break;
    case OP_and:
    case OP_or:
    case OP_xor:
    case OP_shl:
    case OP_sar:
        failed = js_binary_logic_slow(ctx, stack + 2, opcode);
        break;
    case OP_shr:
        failed = js_shr_slow(ctx, stack + 2);
        break;
    case OP_lt:
    case OP_lte:
    case OP_gt:
    case OP_gte:
        failed = js_relational_slow(ctx, stack + 2, opcode);
        break;
    case OP_eq:
    case OP_neq:
        failed = js_eq_slow(ctx, stack + 2, opcode == OP_neq);
        break;
    case OP_strict_eq:
    case OP_strict_neq:
        failed = js_strict_eq_slow(ctx, stack + 2, opcode == OP_strict_neq);
        break;
    case OP_in:
    case OP_instanceof:
        failed = opcode == OP_in ? js_operator_in(ctx, stack + 2) : js_operator_instanceof(ctx, stack + 2);
        /* These two leave their operands to the interpreter when they throw. */
        if (failed) {
            JS_FreeValue(ctx, left);
            JS_FreeValue(ctx, right);
        }
        break;
    default:
        abort();
    }
    return failed ? JS_EXCEPTION : stack[0];
}

JSValue EXPORT(compiled_unary)(JSValue value, const uint8_t *pc, int opcode)
{
    JSContext *ctx = realm_at(pc);
    JSValue stack[1] = { value };
    int failed = opcode == OP_not ? js_not_slow(ctx, stack + 1) : js_unary_arith_slow(ctx, stack + 1, opcode);
    return failed ? JS_EXCEPTION : stack[0];
}

JSValue EXPORT(compiled_type_of)(JSValue value)
{
    JSAtom atom = js_operator_typeof(context, value);
    JS_FreeValue(context, value);
    return JS_AtomToString(context, atom);
}

int EXPORT(compiled_type_of_is)(JSValue value, JSAtom wanted)
{
    JSAtom atom = js_operator_typeof(context, value);
    JS_FreeValue(context, value);
    return atom == wanted;
}

int EXPORT(compiled_truth)(JSValue value) { return JS_ToBoolFree(context, value); }
double EXPORT(compiled_remainder)(double left, double right) { return fmod(left, right); }

/* Adds to a variable in the frame. It lies there, so that a string of which it is the only owner grows in place. */
int EXPORT(compiled_add_to)(JSValue *variable, JSValue right, const uint8_t *pc)
{
    JSContext *ctx = realm_at(pc);
    if (JS_VALUE_GET_TAG(*variable) == JS_TAG_STRING && JS_VALUE_GET_TAG(right) == JS_TAG_STRING) {
        if (JS_ConcatStringInPlace(ctx, JS_VALUE_GET_STRING(*variable), right)) {
            JS_FreeValue(ctx, right);
            return 0;
        }
        right = JS_ConcatString(ctx, JS_DupValue(ctx, *variable), right);
        if (JS_IsException(right))
            return 1;
        set_value(ctx, variable, right);
        return 0;
    }
    JSValue operands[2] = { JS_DupValue(ctx, *variable), right };
    if (js_add_slow(ctx, operands + 2))
        return 1;
    set_value(ctx, variable, operands[0]);
    return 0;
}

/* Its class, and whether it is exotic: the word of two bytes of flags and the class. */
#define CLASS_WORD_AT (offsetof(JSObject, class_id) - 2)
#define CLASS_WORD_MASK 0xffff0008u

static uint32_t class_word_of(JSObject *p)
{
    uint32_t word;
    memcpy(&word, (uint8_t *)p + CLASS_WORD_AT, sizeof(word));
    return word & CLASS_WORD_MASK;
}

/* An object that has no such property among its own if its shape has none. */
static int is_told_by_shape(JSObject *p, JSAtom atom)
{
    return !p->is_exotic || (p->class_id == JS_CLASS_ARRAY && !__JS_AtomIsTaggedInt(atom));
}

static inline JSValue get_property(JSValue receiver, JSAtom atom, const uint8_t *pc, PropertyCell *cell, int is_method)
{
    JSContext *ctx = realm_at(pc);
    JSValue value = receiver;
    if (likely(JS_VALUE_GET_TAG(receiver) == JS_TAG_OBJECT)) {
        JSObject *first = JS_VALUE_GET_OBJ(receiver), *p = first;
        for (;;) {
            JSProperty *pr;
            JSShapeProperty *prs = find_own_property(&pr, p, atom);
            if (prs) {
                if (unlikely(prs->flags & JS_PROP_TMASK))
                    break;
                if (cell && p == first) {
                    *cell = (PropertyCell){ p->shape->id, (uint8_t *)pr - (uint8_t *)p->prop, 0, 0 };
                } else if (cell && is_method && p == first->shape->proto) {
                    *cell = (PropertyCell){ first->shape->id, (uint8_t *)pr - (uint8_t *)p->prop, p->shape->id, class_word_of(first) };
                }
                return JS_DupValue(ctx, pr->u.value);
            }
            if (unlikely(!is_told_by_shape(p, atom))) {
                value = JS_MKPTR(JS_TAG_OBJECT, p);
                break;
            }
            p = p->shape->proto;
            if (!p)
                return JS_UNDEFINED;
        }
    }
    /* A getter can take the receiver away from whoever lent it. */
    JS_DupValue(ctx, receiver);
    value = JS_GetPropertyInternal(ctx, value, atom, receiver, 0);
    JS_FreeValue(ctx, receiver);
    return value;
}

/* The receiver is lent, the result is owned. */
JSValue EXPORT(compiled_get_field)(JSValue receiver, JSAtom atom, const uint8_t *pc, PropertyCell *cell)
{
    return get_property(receiver, atom, pc, cell, 0);
}

/* The same; its cell also remembers what the prototype has. */
JSValue EXPORT(compiled_get_method)(JSValue receiver, JSAtom atom, const uint8_t *pc, PropertyCell *cell)
{
    return get_property(receiver, atom, pc, cell, 1);
}

/* The receiver is lent. */
int EXPORT(compiled_put_field)(JSValue receiver, JSValue value, JSAtom atom, const uint8_t *pc, PropertyCell *cell)
{
    JSContext *ctx = realm_of(frame_now());
    if (likely(JS_VALUE_GET_TAG(receiver) == JS_TAG_OBJECT)) {
        JSObject *p = JS_VALUE_GET_OBJ(receiver);
        JSProperty *pr;
        JSShapeProperty *prs = find_own_property(&pr, p, atom);
        if (prs && likely((prs->flags & (JS_PROP_TMASK | JS_PROP_WRITABLE | JS_PROP_LENGTH)) == JS_PROP_WRITABLE)) {
            if (cell)
                *cell = (PropertyCell){ p->shape->id, (uint8_t *)pr - (uint8_t *)p->prop, 0, 0 };
            set_value(ctx, &pr->u.value, value);
            return 0;
        }
    }
    frame_now()->sf.cur_pc = pc;
    JS_DupValue(ctx, receiver);
    int result = JS_SetPropertyInternal(ctx, receiver, atom, value, receiver, JS_PROP_THROW_STRICT);
    JS_FreeValue(ctx, receiver);
    return result < 0;
}

/* The receiver is lent. */
JSValue EXPORT(compiled_get_element)(JSValue receiver, JSValue key, const uint8_t *pc)
{
    JSContext *ctx = realm_at(pc);
    JS_DupValue(ctx, receiver);
    JSValue value = JS_GetPropertyValue(ctx, receiver, key);
    JS_FreeValue(ctx, receiver);
    return value;
}

/* The receiver is lent. */
int EXPORT(compiled_put_element)(JSValue receiver, JSValue key, JSValue value, const uint8_t *pc)
{
    JSContext *ctx = realm_at(pc);
    JS_DupValue(ctx, receiver);
    int result = JS_SetPropertyValue(ctx, receiver, key, value, JS_PROP_THROW_STRICT);
    JS_FreeValue(ctx, receiver);
    return result < 0;
}

/* Whoever calls has told the pc, and frees what it passes. */
JSValue EXPORT(compiled_call)(JSValue function, JSValue receiver, int argc, JSValue *argv)
{
    return JS_CallInternal(realm_of(frame_now()), function, receiver, JS_UNDEFINED, argc, argv, 0);
}

/* Constructor, new.target, arguments. */
JSValue EXPORT(compiled_construct)(JSValue *values, int argc, const uint8_t *pc)
{
    JSContext *ctx = realm_at(pc);
    JSValue object = JS_CallConstructorInternal(ctx, values[0], values[1], argc, values + 2, 0);
    for (int i = 0; i < argc + 2; i++)
        JS_FreeValue(ctx, values[i]);
    return object;
}

JSValue EXPORT(compiled_object)(const uint8_t *pc) { return placed(JS_NewObject(realm_of(frame_now())), pc); }

JSValue EXPORT(compiled_array)(const uint8_t *pc, int count, JSValue *values)
{
    return placed(js_create_array_free(realm_of(frame_now()), count, values), pc);
}

/* The object is lent. */
int EXPORT(compiled_define_field)(JSValue object, JSValue value, JSAtom atom, const uint8_t *pc)
{
    CompiledFrame *frame = frame_now();
    JSContext *ctx = realm_of(frame);
    if (likely(JS_VALUE_GET_TAG(object) == JS_TAG_OBJECT)) {
        JSObject *p = JS_VALUE_GET_OBJ(object);
        JSProperty *pr;
        if (p->class_id == JS_CLASS_OBJECT && p->extensible && !p->is_exotic && !find_own_property(&pr, p, atom)) {
            pr = add_property(ctx, p, atom, JS_PROP_C_W_E);
            if (!pr) {
                frame->sf.cur_pc = pc;
                JS_FreeValue(ctx, value);
                return 1;
            }
            pr->u.value = value;
            return 0;
        }
    }
    int result = JS_DefinePropertyValue(ctx, object, atom, value, JS_PROP_C_W_E | JS_PROP_THROW);
    if (result < 0)
        frame->sf.cur_pc = pc;
    return result < 0;
}

/* As `js_for_of_next`; the next element of an array that is iterated over as arrays are is taken here. */
int EXPORT(compiled_for_of_next)(const uint8_t *pc, JSValue *sp, int offset)
{
    JSValue iterator = sp[offset], next = sp[offset + 1];
    if (JS_VALUE_GET_TAG(iterator) == JS_TAG_OBJECT && JS_VALUE_GET_TAG(next) == JS_TAG_OBJECT) {
        JSObject *p = JS_VALUE_GET_OBJ(iterator), *method = JS_VALUE_GET_OBJ(next);
        if (p->class_id == JS_CLASS_ARRAY_ITERATOR && method->class_id == JS_CLASS_C_FUNCTION &&
            method->u.cfunc.cproto == JS_CFUNC_iterator_next && method->u.cfunc.c_function.iterator_next == js_array_iterator_next) {
            JSArrayIteratorData *data = p->u.array_iterator_data;
            if (data && data->kind == JS_ITERATOR_KIND_VALUE && JS_VALUE_GET_TAG(data->obj) == JS_TAG_OBJECT) {
                JSObject *array = JS_VALUE_GET_OBJ(data->obj);
                if (array->class_id == JS_CLASS_ARRAY && array->fast_array && data->idx < array->u.array.count &&
                    JS_VALUE_GET_TAG(array->prop[0].u.value) == JS_TAG_INT &&
                    data->idx < (uint32_t)JS_VALUE_GET_INT(array->prop[0].u.value)) {
                    sp[0] = JS_DupValue(context, array->u.array.u.values[data->idx++]);
                    sp[1] = JS_FALSE;
                    return 0;
                }
            }
        }
    }
    return js_for_of_next(realm_at(pc), sp, offset) != 0;
}

/* A global variable that is not initialised, or none. */
JSValue EXPORT(compiled_get_global)(const uint8_t *pc, int index, int throws)
{
    CompiledFrame *frame = frame_now();
    JSFunctionBytecode *b = JS_VALUE_GET_OBJ(frame->sf.cur_func)->u.func.function_bytecode;
    JSContext *ctx = b->realm;
    JSClosureVar *variable = &b->closure_var[index];
    frame->sf.cur_pc = pc;
    if (variable->is_lexical)
        return JS_ThrowReferenceErrorUninitialized(ctx, variable->var_name);
    return JS_GetPropertyInternal(ctx, ctx->global_obj, variable->var_name, ctx->global_obj, throws);
}

void EXPORT(compiled_uninitialized)(const uint8_t *pc, int index, int is_reference)
{
    CompiledFrame *frame = frame_now();
    frame->sf.cur_pc = pc;
    JSFunctionBytecode *b = JS_VALUE_GET_OBJ(frame->sf.cur_func)->u.func.function_bytecode;
    JS_ThrowReferenceErrorUninitialized2(b->realm, b, index, is_reference);
}

static const struct {
    const char *name;
    uintptr_t value;
} compiler_layout[] = {
#define PLACE(type, field) { #type "." #field, offsetof(type, field) },
#define SIZE(type) { "sizeof." #type, sizeof(type) },
#define VALUE(name, value) { name, (uintptr_t)(value) },
    PLACE(JSStackFrame, prev_frame)
    PLACE(JSStackFrame, cur_func)
    PLACE(JSStackFrame, arg_buf)
    PLACE(JSStackFrame, var_buf)
    PLACE(JSStackFrame, var_refs)
    PLACE(JSStackFrame, cur_pc)
    PLACE(JSStackFrame, arg_count)
    PLACE(JSStackFrame, js_mode)
    PLACE(CompiledFrame, caller_ctx)
    PLACE(CompiledFrame, argc)
    PLACE(CompiledFrame, argv)
    PLACE(CompiledFrame, local_buf)
    PLACE(CompiledFrame, this_obj)
    PLACE(CompiledFrame, new_target)
    PLACE(CompiledFrame, stack_buf)
    PLACE(CompiledFrame, sp)
    PLACE(CompiledFrame, pc)
    SIZE(CompiledFrame)
    PLACE(JSObject, class_id)
    PLACE(JSObject, shape)
    PLACE(JSObject, prop)
    PLACE(JSObject, u.func.function_bytecode)
    PLACE(JSObject, u.func.var_refs)
    PLACE(JSObject, u.array.count)
    PLACE(JSObject, u.array.u.values)
    PLACE(JSShape, id)
    PLACE(JSShape, proto)
    SIZE(JSProperty)
    PLACE(JSVarRef, pvalue)
    PLACE(PropertyCell, shape_id)
    PLACE(PropertyCell, place)
    PLACE(PropertyCell, holder_id)
    PLACE(PropertyCell, class_word)
    SIZE(PropertyCell)
    PLACE(JSRuntime, current_stack_frame)
    PLACE(JSRuntime, stack_limit)
    PLACE(JSRuntime, gc_obj_list)
    PLACE(JSGCObjectHeader, link)
    PLACE(JSFunctionBytecode, js_mode)
    PLACE(JSFunctionBytecode, byte_code_buf)
    PLACE(JSFunctionBytecode, byte_code_len)
    PLACE(JSFunctionBytecode, func_name)
    PLACE(JSFunctionBytecode, vardefs)
    PLACE(JSFunctionBytecode, closure_var)
    PLACE(JSFunctionBytecode, arg_count)
    PLACE(JSFunctionBytecode, var_count)
    PLACE(JSFunctionBytecode, stack_size)
    PLACE(JSFunctionBytecode, var_ref_count)
    PLACE(JSFunctionBytecode, compiled)
    PLACE(JSFunctionBytecode, realm)
    PLACE(JSFunctionBytecode, cpool)
    PLACE(JSFunctionBytecode, cpool_count)
    PLACE(JSFunctionBytecode, closure_var_count)
    SIZE(JSBytecodeVarDef)
    SIZE(JSClosureVar)
    PLACE(JSClosureVar, var_name)
    VALUE("place of a class word", CLASS_WORD_AT)
    VALUE("bytes from a reference count to what it counts", offsetof(JSMallocBlockHeader, user_data) - offsetof(JSMallocBlockHeader, ref_count))
    VALUE("bytes from a type to what has it", offsetof(JSMallocBlockHeader, user_data) - offsetof(JSMallocBlockHeader, block_size_idx) - 1)
    PLACE(JSRuntime, atom_array)
    PLACE(JSRuntime, atom_size)
    VALUE("atom of length", JS_ATOM_length)
    VALUE("atom of the empty string", JS_ATOM_empty_string)
    VALUE("mask of a class word", CLASS_WORD_MASK)
    VALUE("class of arrays", JS_CLASS_ARRAY)
    VALUE("atom of undefined", JS_ATOM_undefined)
    VALUE("atom of function", JS_ATOM_function)
    VALUE("class of functions", JS_CLASS_BYTECODE_FUNCTION)
    VALUE("type of bytecode", JS_GC_OBJ_TYPE_FUNCTION_BYTECODE)
    VALUE("type of objects", JS_GC_OBJ_TYPE_JS_OBJECT)
    VALUE("address of the runtime", &runtime)
    VALUE("address of the context", &context)
    VALUE("address of the cells", property_cells)
    VALUE("cells", CELLS)
    { NULL, 0 }
};

/* "name size pops pushes format", by number. */
static const char *const opcodes[] = {
#define FMT(f)
#define DEF(id, size, n_pop, n_push, f) #id " " #size " " #n_pop " " #n_push " " #f,
#define def(id, size, n_pop, n_push, f)
#include "quickjs-opcode.h"
    NULL
};

const void *EXPORT(compiler_layout_table)(void) { return compiler_layout; }
const void *EXPORT(compiler_opcode_table)(void) { return opcodes; }

/* For tests: what is on the heap. Compiled code leaves there what the interpreter leaves. */
const int64_t *EXPORT(heap_counts)(void)
{
    static int64_t counts[5];
    JSMemoryUsage usage;
    JS_RunGC(runtime);
    JS_ComputeMemoryUsage(runtime, &usage);
    counts[0] = usage.malloc_count;
    counts[1] = usage.atom_count;
    counts[2] = usage.str_count;
    counts[3] = usage.obj_count;
    counts[4] = usage.prop_count;
    return counts;
}
