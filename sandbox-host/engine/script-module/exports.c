/* What the engine's driver (../src/script_module.rs) needs of QuickJS, and nothing else: values behind handles, evaluation, calls both ways.
   The names are those of npm quickjs-wasi, whose module was here before. QuickJS is included as a whole, for its static functions. */
#include <malloc.h>
#include "quickjs.c"

#undef malloc
#undef free

#define EXPORT(name) __attribute__((export_name(#name))) name
#define IMPORT(name) __attribute__((import_module("env"), import_name(#name))) name

/* A handle: where a value lies that the caller owns, or that the engine lends for the time of a call. */
typedef JSValue *Handle;

static JSRuntime *runtime;
static JSContext *context;
static JSValue undefined = JS_UNDEFINED;

Handle IMPORT(host_call)(const char *name, int name_length, Handle this_value, int argc, Handle *argv);
void IMPORT(host_promise_rejection)(Handle promise, Handle reason, int is_handled);

static Handle own(JSValue value)
{
    Handle handle = malloc(sizeof(JSValue));
    if (!handle)
        abort();
    *handle = value;
    return handle;
}

static JSValue disown(Handle handle)
{
    JSValue value = *handle;
    free(handle);
    return value;
}

void *EXPORT(wasm_malloc)(size_t bytes) { return malloc(bytes); }
void EXPORT(wasm_free)(void *memory) { free(memory); }

int EXPORT(qjs_init)(void)
{
    runtime = JS_NewRuntime();
    if (!runtime)
        return -1;
    context = JS_NewContext(runtime);
    return context ? 0 : -1;
}

void EXPORT(qjs_set_max_stack_size)(size_t bytes) { JS_SetMaxStackSize(runtime, bytes); }
void EXPORT(qjs_set_gc_threshold)(size_t bytes) { JS_SetGCThreshold(runtime, bytes); }
void EXPORT(qjs_run_gc)(void) { JS_RunGC(runtime); }

static void on_rejection(JSContext *ctx, JSValueConst promise, JSValueConst reason, JS_BOOL is_handled, void *opaque)
{
    host_promise_rejection(own(JS_DupValue(ctx, promise)), own(JS_DupValue(ctx, reason)), is_handled);
}

void EXPORT(qjs_set_promise_rejection_handler)(int is_on)
{
    JS_SetHostPromiseRejectionTracker(runtime, is_on ? on_rejection : NULL, NULL);
}

static JSValue give_namespace(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv, int magic, JSValue *data)
{
    return JS_DupValue(ctx, data[0]);
}

/* A promise of the namespace of the module, once its top level has run. */
static JSValue evaluate_module(JSValue module)
{
    JSModuleDef *definition = JS_VALUE_GET_PTR(module);
    JSValue loaded = JS_EvalFunction(context, module);
    if (JS_IsException(loaded))
        return loaded;
    JSValue names = JS_GetModuleNamespace(context, definition);
    JSValue give = JS_NewCFunctionData(context, give_namespace, 0, 0, 1, &names);
    JSValue promise = js_promise_then(context, loaded, 1, &give);
    JS_FreeValue(context, names);
    JS_FreeValue(context, give);
    JS_FreeValue(context, loaded);
    return promise;
}

Handle EXPORT(qjs_eval)(const char *source, size_t length, const char *file_name, int flags)
{
    if (!(flags & JS_EVAL_TYPE_MODULE))
        return own(JS_Eval(context, source, length, file_name, flags));
    JSValue module = JS_Eval(context, source, length, file_name, flags | JS_EVAL_FLAG_COMPILE_ONLY);
    return own(JS_IsException(module) ? module : evaluate_module(module));
}

#define ARGUMENTS_MAX 8

Handle EXPORT(qjs_call)(Handle function, Handle this_value, int argc, Handle *argv)
{
    JSValue values[ARGUMENTS_MAX];
    if (argc > ARGUMENTS_MAX)
        abort();
    for (int i = 0; i < argc; i++)
        values[i] = *argv[i];
    return own(JS_Call(context, *function, *this_value, argc, values));
}

static JSValue call_host(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv, int magic, JSValue *data)
{
    Handle handles[ARGUMENTS_MAX];
    if (argc > ARGUMENTS_MAX)
        argc = ARGUMENTS_MAX;
    for (int i = 0; i < argc; i++)
        handles[i] = (Handle)&argv[i];
    return disown(host_call((const char *)JS_VALUE_GET_INT(data[0]), magic, (Handle)&this_value, argc, handles));
}

Handle EXPORT(qjs_new_host_function)(const char *name, int length, int argc)
{
    JSValue data = JS_MKVAL(JS_TAG_INT, (int)name);
    return own(JS_NewCFunctionData(context, call_host, argc, length, 1, &data));
}

int EXPORT(qjs_execute_pending_job)(void)
{
    JSContext *ctx;
    return JS_ExecutePendingJob(runtime, &ctx);
}

Handle EXPORT(qjs_new_string)(const char *text, size_t length) { return own(JS_NewStringLen(context, text, length)); }
Handle EXPORT(qjs_new_number)(double number) { return own(JS_NewFloat64(context, number)); }
Handle EXPORT(qjs_get_undefined)(void) { return &undefined; }
Handle EXPORT(qjs_get_exception)(void) { return own(JS_GetException(context)); }
Handle EXPORT(qjs_get_prop_string)(Handle object, const char *name) { return own(JS_GetPropertyStr(context, *object, name)); }
int EXPORT(qjs_is_string)(Handle value) { return JS_IsString(*value); }
int EXPORT(qjs_is_exception)(Handle value) { return JS_IsException(*value); }
void EXPORT(qjs_free_value)(Handle value) { JS_FreeValue(context, disown(value)); }
const char *EXPORT(qjs_get_string)(Handle value) { return JS_ToCString(context, *value); }
const char *EXPORT(qjs_get_string_len)(Handle value, size_t *length) { return JS_ToCStringLen(context, length, *value); }
void EXPORT(qjs_free_cstring)(const char *text) { JS_FreeCString(context, text); }
uint8_t *EXPORT(qjs_get_array_buffer)(Handle value, size_t *length) { return JS_GetArrayBuffer(context, length, *value); }

#include "compiled.c"
