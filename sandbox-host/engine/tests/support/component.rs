//! Components of our world from the text format: the parts that each has, around the body of `run` that a test is about.
use super::prepare;
use agent_engine::program::ProgramKind;

/// A function of WASI that a component imports, and how its core module names it: `$name`.
pub struct Import {
    pub name: &'static str,
    /// Type of the core function.
    pub core: &'static str,
    /// The instance that is imported, with whatever it builds upon.
    pub from: &'static str,
    /// What `canon lower` lowers.
    pub function: &'static str,
}

pub const RANDOM_U64: Import = Import {
    name: "random-u64",
    core: "(result i64)",
    from: r#"(import "wasi:random/random@0.2.3" (instance $random (export "get-random-u64" (func (result u64)))))"#,
    function: r#"(func $random "get-random-u64")"#,
};

pub const NOW: Import = Import {
    name: "now",
    core: "(result i64)",
    from: r#"(import "wasi:clocks/monotonic-clock@0.2.3" (instance $clock (export "now" (func (result u64)))))"#,
    function: r#"(func $clock "now")"#,
};

/// Seconds at 0, nanoseconds at 8 of what the parameter points to.
pub const WALL: Import = Import {
    name: "wall",
    core: "(param i32)",
    from: r#"(import "wasi:clocks/wall-clock@0.2.0" (instance $wall
        (type $record (record (field "seconds" u64) (field "nanoseconds" u32)))
        (export "datetime" (type $datetime (eq $record)))
        (export "now" (func (result $datetime)))))"#,
    function: r#"(func $wall "now")"#,
};

pub const EXIT: Import = Import {
    name: "exit",
    core: "(param i32)",
    from: r#"(import "wasi:cli/exit@0.2.3" (instance $exits
        (export "exit" (func (param "status" (result)))) (export "exit-with-code" (func (param "status-code" u8)))))"#,
    function: r#"(func $exits "exit")"#,
};

pub const EXIT_WITH_CODE: Import = Import { name: "exit-with-code", function: r#"(func $exits "exit-with-code")"#, ..EXIT };

/// A pollable that is ready after so many nanoseconds.
pub const TIMER: Import = Import {
    name: "timer",
    core: "(param i64) (result i32)",
    from: r#"(import "wasi:io/poll@0.2.3" (instance $poll
            (export "pollable" (type $pollable (sub resource)))
            (export "poll" (func (param "in" (list (borrow $pollable))) (result (list u32))))))
        (alias export $poll "pollable" (type $pollable))
        (import "wasi:clocks/monotonic-clock@0.2.3" (instance $timers
            (alias outer 1 $pollable (type $outer))
            (export "pollable" (type $pollable (eq $outer)))
            (export "now" (func (result u64)))
            (export "subscribe-duration" (func (param "when" u64) (result (own $pollable))))))"#,
    function: r#"(func $timers "subscribe-duration")"#,
};

/// Those after `TIMER` build upon the instances that it imports.
pub const TIMER_NOW: Import = Import { name: "now", core: "(result i64)", from: "", function: r#"(func $timers "now")"# };

/// Of a list at an address and of a length; where the list of the ready ones is comes back in the third.
pub const POLL: Import = Import { name: "poll", core: "(param i32 i32 i32)", from: "", function: r#"(func $poll "poll")"# };

/// A handle of standard output.
pub const STDOUT: Import = Import {
    name: "stdout",
    core: "(result i32)",
    from: r#"(import "wasi:io/error@0.2.3" (instance $error (export "error" (type (sub resource)))))
        (alias export $error "error" (type $error))
        (import "wasi:io/streams@0.2.3" (instance $streams
            (alias outer 1 $error (type $outer))
            (export "error" (type $error (eq $outer)))
            (type $variant (variant (case "last-operation-failed" (own $error)) (case "closed")))
            (export "stream-error" (type $stream-error (eq $variant)))
            (export "output-stream" (type $output-stream (sub resource)))
            (export "[method]output-stream.blocking-write-and-flush" (func
                (param "self" (borrow $output-stream)) (param "contents" (list u8)) (result (result (error $stream-error)))))
            (export "[method]output-stream.write-zeroes" (func
                (param "self" (borrow $output-stream)) (param "len" u64) (result (result (error $stream-error)))))))
        (alias export $streams "output-stream" (type $output-stream))
        (import "wasi:cli/stdout@0.2.3" (instance $stdout
            (alias outer 1 $output-stream (type $outer))
            (export "output-stream" (type $output-stream (eq $outer)))
            (export "get-stdout" (func (result (own $output-stream))))))
        (import "wasi:cli/stderr@0.2.3" (instance $stderr
            (alias outer 1 $output-stream (type $outer))
            (export "output-stream" (type $output-stream (eq $outer)))
            (export "get-stderr" (func (result (own $output-stream))))))"#,
    function: r#"(func $stdout "get-stdout")"#,
};

/// Those after `STDOUT` build upon the instances that it imports.
pub const STDERR: Import = Import { name: "stderr", core: "(result i32)", from: "", function: r#"(func $stderr "get-stderr")"# };

/// Handle, address, length, and where the result goes.
pub const WRITE: Import = Import {
    name: "write",
    core: "(param i32 i32 i32 i32)",
    from: "",
    function: r#"(func $streams "[method]output-stream.blocking-write-and-flush")"#,
};

pub const WRITE_ZEROES: Import = Import {
    name: "write-zeroes",
    core: "(param i32 i64 i32)",
    from: "",
    function: r#"(func $streams "[method]output-stream.write-zeroes")"#,
};

/// Has memory and an allocator that never frees; `$answer` gives the text at an address as the answer, or as the error; `$number` a
/// number. The input is `$at` and `$length`; 0 to 1023 is free for the body.
pub fn component_text(imports: &[Import], body: &str) -> String {
    let mut from = String::new();
    let (mut lowered, mut given, mut core) = (String::new(), String::new(), String::new());
    for import in imports {
        let Import { name, core: ty, function, .. } = import;
        if !from.contains(import.from) {
            from.push_str(import.from);
        }
        lowered += &format!(r#"(core func ${name} (canon lower {function} (memory $memory) (realloc $realloc)))"#);
        given += &format!(r#"(export "{name}" (func ${name}))"#);
        core += &format!(r#"(import "wasi" "{name}" (func ${name} {ty}))"#);
    }
    format!(
        r#"(component
            {from}
            (core module $libc
                (memory (export "memory") 1)
                (global $top (mut i32) (i32.const 1024))
                (func (export "realloc") (param $old i32) (param $had i32) (param $align i32) (param $bytes i32) (result i32)
                    (local $at i32)
                    (local.set $at (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
                    (global.set $top (i32.add (local.get $at) (local.get $bytes)))
                    (if (i32.gt_u (global.get $top) (i32.mul (memory.size) (i32.const 65536)))
                        (then (drop (memory.grow (i32.add (i32.div_u (local.get $bytes) (i32.const 65536)) (i32.const 1))))))
                    (local.get $at)))
            (core instance $libc (instantiate $libc))
            (alias core export $libc "memory" (core memory $memory))
            (alias core export $libc "realloc" (core func $realloc))
            {lowered}
            (core instance $wasi {given})
            (core module $main
                (import "libc" "memory" (memory 1))
                {core}
                (func $give (param $is_error i32) (param $at i32) (param $length i32) (result i32)
                    (i32.store8 (i32.const 0) (local.get $is_error))
                    (i32.store (i32.const 4) (local.get $at))
                    (i32.store (i32.const 8) (local.get $length))
                    (i32.const 0))
                (func $number (param $value i64) (result i32) (local $at i32)
                    (local.set $at (i32.const 64))
                    (loop $digit
                        (local.set $at (i32.sub (local.get $at) (i32.const 1)))
                        (i64.store8 (local.get $at)
                            (i64.add (i64.const 48) (i64.rem_u (local.get $value) (i64.const 10))))
                        (local.set $value (i64.div_u (local.get $value) (i64.const 10)))
                        (br_if $digit (i64.ne (local.get $value) (i64.const 0))))
                    (call $give (i32.const 0) (local.get $at) (i32.sub (i32.const 64) (local.get $at))))
                (func $deep (param i32) (result i32) (i32.add (call $deep (local.get 0)) (i32.const 1)))
                (func (export "run") (param $at i32) (param $length i32) (result i32) {body}))
            (core instance $main (instantiate $main (with "libc" (instance $libc)) (with "wasi" (instance $wasi))))
            (func (export "run") (param "input" string) (result (result string (error string)))
                (canon lift (core func $main "run") (memory $memory) (realloc $realloc))))"#
    )
}

/// A component whose `run` has this body.
pub fn component(imports: &[Import], body: &str) -> u32 {
    let text = component_text(imports, body);
    let binary = wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}"));
    prepare(ProgramKind::Component, &binary).expect("a valid component").handle
}
