//! The functions we append to the script engine's module, so that a whole run is one entry into the guest and no host
//! function ever calls back into it: hand over the input, call, drain the jobs, hand out the result.
//!
//! ```text
//! host ── agent_run(length) ─▶ host.input ─▶ START(text) ─▶ ┌ run all jobs ┐ ─▶ a string? ─▶ host.output
//!                                                            └──── STEP ◀───┘ no
//! ```
//! START, STEP and their like are functions of `guest/prelude.js`; their handles lie in globals that boot fills.
use wasm_encoder::{BlockType, Function, InstructionSink, MemArg, ValType};

/// Globals that hold handles of the prelude's values and scratch memory, in the order in which they are appended.
pub const GLOBALS: [&str; 8] = [
    "agent_start",
    "agent_step",
    "agent_load",
    "agent_load_failed",
    "agent_rejected",
    "agent_undefined",
    "agent_scratch",
    "agent_filename",
];

/// `(params, results)` of what we import in addition, all from module `agent_host`.
pub const IMPORTS: [(&str, &[ValType], &[ValType]); 3] = [
    ("input", &[ValType::I32], &[]),
    ("output", &[ValType::I32, ValType::I32], &[]),
    ("call", &[ValType::I32; 5], &[ValType::F64]),
];

/// What we append, in order, with whether the host may call it. The two wrappers take the place of the imports of their name.
pub const FUNCTIONS: [(&str, &[ValType], &[ValType], bool); 5] = [
    ("agent_run", &[ValType::I32], &[], true),
    ("agent_load_module", &[ValType::I32], &[], true),
    ("agent_drain", &[ValType::I32], &[], false),
    ("host_call", &[ValType::I32; 5], &[ValType::I32], false),
    ("host_promise_rejection", &[ValType::I32; 3], &[], false),
];

/// `JS_EVAL_TYPE_MODULE` of QuickJS.
const EVAL_MODULE: i32 = 1;

const WORD: MemArg = MemArg { offset: 0, align: 2, memory_index: 0 };
const SECOND_WORD: MemArg = MemArg { offset: 4, align: 2, memory_index: 0 };

/// Where the functions and globals of the module lie.
pub struct Places<'a> {
    pub function: &'a dyn Fn(&str) -> u32,
    pub global: &'a dyn Fn(&str) -> u32,
}

/// Bodies in the order of `FUNCTIONS`.
pub fn bodies(places: &Places<'_>) -> Vec<Function> {
    vec![run(places), load_module(places), drain(places), host_call(places), promise_rejection(places)]
}

/// Parameter 0: bytes of input. Locals: 1 pointer, 2 handle, 3 result.
fn run(at: &Places<'_>) -> Function {
    let mut function = Function::new([(3, ValType::I32)]);
    let mut code = function.instructions();
    take_input(at, &mut code);
    code.local_get(1).local_get(0).call((at.function)("qjs_new_string")).local_set(2);
    code.local_get(1).call((at.function)("wasm_free"));
    call_with(at, &mut code, "agent_start");
    code.local_set(3);
    code.local_get(2).call((at.function)("qjs_free_value"));
    code.local_get(3).call((at.function)("agent_drain")).end();
    function
}

/// Parameter 0: bytes of source. Locals: 1 pointer, 2 handle, 3 result.
fn load_module(at: &Places<'_>) -> Function {
    let mut function = Function::new([(3, ValType::I32)]);
    let mut code = function.instructions();
    take_input(at, &mut code);
    code.local_get(1).local_get(0).global_get((at.global)("agent_filename")).i32_const(EVAL_MODULE);
    code.call((at.function)("qjs_eval")).local_set(2);
    // The copy of the source would otherwise be part of every snapshot.
    code.local_get(1).i32_const(0).local_get(0).memory_fill(0);
    code.local_get(1).call((at.function)("wasm_free"));
    code.local_get(2).call((at.function)("qjs_is_exception")).if_(BlockType::Result(ValType::I32));
    code.call((at.function)("qjs_get_exception")).local_set(2);
    call_with(at, &mut code, "agent_load_failed");
    code.else_();
    call_with(at, &mut code, "agent_load");
    code.end().local_set(3);
    code.local_get(2).call((at.function)("qjs_free_value"));
    code.local_get(3).call((at.function)("agent_drain")).end();
    function
}

/// Parameter 0: handle of a result of the prelude. Locals: 1 pointer of text, 2 jobs run.
fn drain(at: &Places<'_>) -> Function {
    let mut function = Function::new([(2, ValType::I32)]);
    let mut code = function.instructions();
    code.loop_(BlockType::Empty);
    code.local_get(0).call((at.function)("qjs_is_string")).if_(BlockType::Empty);
    text_of(at, &mut code, 0);
    code.local_tee(1).global_get((at.global)("agent_scratch")).i32_load(WORD).call((at.function)("output"));
    code.return_().end();
    // The prelude catches what guests throw. What escapes it is handed out as an empty result, which the host knows.
    code.local_get(0).call((at.function)("qjs_is_exception")).if_(BlockType::Empty);
    code.i32_const(0).i32_const(0).call((at.function)("output")).return_().end();
    code.local_get(0).call((at.function)("qjs_free_value"));
    code.loop_(BlockType::Empty);
    code.call((at.function)("qjs_execute_pending_job")).local_tee(2).i32_const(0).i32_lt_s().if_(BlockType::Empty);
    code.call((at.function)("qjs_get_exception")).call((at.function)("qjs_free_value")).end();
    code.local_get(2).br_if(0).end();
    code.global_get((at.global)("agent_step")).global_get((at.global)("agent_undefined")).i32_const(0).i32_const(0);
    code.call((at.function)("qjs_call")).local_set(0).br(0);
    code.end().end();
    function
}

/// QuickJS calls a host function. Parameters: 0 name, 1 its length, 2 this, 3 argument count, 4 arguments. Locals: 5 and 6
/// first argument as text, 7 and 8 second as text or bytes, 9 whether the second is text, 10 the answer.
fn host_call(at: &Places<'_>) -> Function {
    let mut function = Function::new([(5, ValType::I32), (1, ValType::F64)]);
    let mut code = function.instructions();
    let scratch = (at.global)("agent_scratch");
    code.local_get(3).i32_const(0).i32_gt_s().if_(BlockType::Empty);
    code.local_get(4).i32_load(WORD).global_get(scratch).call((at.function)("qjs_get_string_len")).local_set(5);
    code.local_get(5).if_(BlockType::Empty).global_get(scratch).i32_load(WORD).local_set(6).end().end();
    code.local_get(3).i32_const(1).i32_gt_s().if_(BlockType::Empty);
    code.local_get(4).i32_load(SECOND_WORD).call((at.function)("qjs_is_string")).local_tee(9).if_(BlockType::Empty);
    code.local_get(4).i32_load(SECOND_WORD).global_get(scratch).call((at.function)("qjs_get_string_len")).local_set(7).else_();
    code.local_get(4).i32_load(SECOND_WORD).global_get(scratch).call((at.function)("qjs_get_array_buffer")).local_set(7).end();
    code.local_get(7).if_(BlockType::Empty).global_get(scratch).i32_load(WORD).local_set(8).end().end();
    code.local_get(0).local_get(5).local_get(6).local_get(7).local_get(8).call((at.function)("call")).local_set(10);
    code.local_get(5).if_(BlockType::Empty).local_get(5).call((at.function)("qjs_free_cstring")).end();
    code.local_get(9).local_get(7).i32_const(0).i32_ne().i32_and().if_(BlockType::Empty);
    code.local_get(7).call((at.function)("qjs_free_cstring")).end();
    code.local_get(10).call((at.function)("qjs_new_number")).end();
    function
}

/// QuickJS reports a rejection. Parameters, the first two ours to free: 0 promise, 1 reason, 2 whether it is handled by now.
/// Locals: 3 arguments, 4 result.
fn promise_rejection(at: &Places<'_>) -> Function {
    let mut function = Function::new([(2, ValType::I32)]);
    let mut code = function.instructions();
    code.i32_const(8).call((at.function)("wasm_malloc")).local_tee(3).if_(BlockType::Empty);
    code.local_get(3).local_get(0).i32_store(WORD).local_get(3).local_get(1).i32_store(SECOND_WORD);
    code.global_get((at.global)("agent_rejected")).global_get((at.global)("agent_undefined"));
    // Handled by now: the reason is left out, and the prelude forgets the promise.
    code.i32_const(1).i32_const(2).local_get(2).select().local_get(3).call((at.function)("qjs_call")).local_set(4);
    code.local_get(4).call((at.function)("qjs_free_value")).local_get(3).call((at.function)("wasm_free")).end();
    code.local_get(0).call((at.function)("qjs_free_value")).local_get(1).call((at.function)("qjs_free_value")).end();
    function
}

/// Leaves in local 1 a copy of the input, local 0 bytes long and terminated by zero.
fn take_input(at: &Places<'_>, code: &mut InstructionSink<'_>) {
    code.local_get(0).i32_const(1).i32_add().call((at.function)("wasm_malloc")).local_tee(1);
    code.i32_eqz().if_(BlockType::Empty).unreachable().end();
    code.local_get(1).call((at.function)("input"));
    code.local_get(1).local_get(0).i32_add().i32_const(0).i32_store8(MemArg { offset: 0, align: 0, memory_index: 0 });
}

/// Calls a function of the prelude with the handle in local 2; its result is left on the stack.
fn call_with(at: &Places<'_>, code: &mut InstructionSink<'_>, function: &str) {
    let scratch = (at.global)("agent_scratch");
    code.global_get(scratch).local_get(2).i32_store(SECOND_WORD);
    code.global_get((at.global)(function)).global_get((at.global)("agent_undefined"));
    code.i32_const(1).global_get(scratch).i32_const(4).i32_add().call((at.function)("qjs_call"));
}

/// Leaves the text of the handle in `local` on the stack and its length in the first word of the scratch memory.
fn text_of(at: &Places<'_>, code: &mut InstructionSink<'_>, local: u32) {
    code.local_get(local).global_get((at.global)("agent_scratch")).call((at.function)("qjs_get_string_len"));
}
