//! WASI programs: what they can do, what they get back, and what happens to those that cheat.
mod support;
use agent_engine::limits::RunRequest;
use agent_engine::outcome::{Refusal, Status};
use agent_engine::program::ProgramKind;
use std::process::Command;
use support::{SANDBOX, command, message, output, prepare, request, run};

fn refusal(text: &str) -> String {
    match prepare(ProgramKind::Command, &wat::parse_str(text).expect("valid text")) {
        Err(Refusal::InvalidProgram(message)) => message,
        other => panic!("expected a refusal, not {other:?}"),
    }
}

/// Writes `text` to stdout.
fn printing(text: &str) -> u32 {
    command(
        &format!(
            r#"(module
            (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1)
            (data (i32.const 0) "\10\00\00\00{:02x}\00\00\00")
            (data (i32.const 16) "{text}")
            (func (export "_start") (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#,
            text.len(),
        )
        .replacen(&format!("{:02x}\\00", text.len()), &format!("\\{:02x}\\00", text.len()), 1),
    )
}

#[test]
fn stdout_is_the_output() {
    assert_eq!(output(&run(printing("[1, 2]"), request("1"))), "[1, 2]");
    assert_eq!(output(&run(printing(" 3 "), request("1"))), "3");
    assert_eq!(output(&run(printing(""), request("1"))), "null");
    let outcome = run(printing("[1, 2} "), request("1"));
    assert_eq!(outcome.status, Status::Threw);
    assert!(
        message(&outcome).starts_with("stdout is not JSON: ") && message(&outcome).contains("column 6"),
        "{}",
        message(&outcome)
    );
}

#[test]
fn the_exit_code_is_told() {
    let exiting = |code| {
        let text = format!(
            r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32))) (memory (export "memory") 1)
                (func (export "_start") (call $exit (i32.const {code}))))"#
        );
        run(command(&text), request("1"))
    };
    assert_eq!(output(&exiting(0)), "null");
    let failed = exiting(3);
    assert_eq!((failed.status, failed.error.and_then(|error| error.exit_code)), (Status::Threw, Some(3)));
}

#[test]
fn foreign_modules_are_refused_by_name() {
    let memory = r#"(memory (export "memory") 1) (func (export "_start"))"#;
    assert!(refusal(&format!(r#"(module (import "env" "boom" (func)) {memory})"#)).contains("env.boom"));
    assert!(refusal(&format!(r#"(module (import "wasi_snapshot_preview1" "nothing" (func)) {memory})"#)).contains("nothing"));
    assert!(refusal("(module)").contains("_start"));
    assert!(refusal(r#"(module (func (export "_start")))"#).contains("memory"));
    assert!(refusal(r#"(module (memory (export "memory") i64 1) (func (export "_start")))"#).contains("memory64"));
    assert!(refusal(r#"(module (memory (export "memory") 1 1 shared) (func (export "_start")))"#).contains("threads"));
    assert!(refusal(r#"(module (memory (export "memory") 65536) (func (export "_start")))"#).contains("memory"));
    assert!(
        matches!(prepare(ProgramKind::Command, b"#!/bin/sh"), Err(Refusal::InvalidProgram(message)) if message.contains("no WebAssembly"))
    );
    assert!(matches!(prepare(ProgramKind::Command, b"\0asm\x01\0\0\0\xff"), Err(Refusal::InvalidProgram(_))));
}

/// Every function of WASI preview 1 with pointers that point nowhere: an error number or an end of the run, never of the host.
#[test]
fn pointers_that_point_nowhere_do_no_harm() {
    let functions = [
        ("args_get", "i32 i32"),
        ("args_sizes_get", "i32 i32"),
        ("environ_get", "i32 i32"),
        ("environ_sizes_get", "i32 i32"),
        ("clock_res_get", "i32 i32"),
        ("clock_time_get", "i32 i64 i32"),
        ("fd_advise", "i32 i64 i64 i32"),
        ("fd_allocate", "i32 i64 i64"),
        ("fd_close", "i32"),
        ("fd_datasync", "i32"),
        ("fd_fdstat_get", "i32 i32"),
        ("fd_fdstat_set_flags", "i32 i32"),
        ("fd_fdstat_set_rights", "i32 i64 i64"),
        ("fd_filestat_get", "i32 i32"),
        ("fd_filestat_set_size", "i32 i64"),
        ("fd_filestat_set_times", "i32 i64 i64 i32"),
        ("fd_pread", "i32 i32 i32 i64 i32"),
        ("fd_prestat_get", "i32 i32"),
        ("fd_prestat_dir_name", "i32 i32 i32"),
        ("fd_pwrite", "i32 i32 i32 i64 i32"),
        ("fd_read", "i32 i32 i32 i32"),
        ("fd_readdir", "i32 i32 i32 i64 i32"),
        ("fd_renumber", "i32 i32"),
        ("fd_seek", "i32 i64 i32 i32"),
        ("fd_sync", "i32"),
        ("fd_tell", "i32 i32"),
        ("fd_write", "i32 i32 i32 i32"),
        ("path_create_directory", "i32 i32 i32"),
        ("path_filestat_get", "i32 i32 i32 i32 i32"),
        ("path_filestat_set_times", "i32 i32 i32 i32 i64 i64 i32"),
        ("path_link", "i32 i32 i32 i32 i32 i32 i32"),
        ("path_open", "i32 i32 i32 i32 i32 i64 i64 i32 i32"),
        ("path_readlink", "i32 i32 i32 i32 i32 i32"),
        ("path_remove_directory", "i32 i32 i32"),
        ("path_rename", "i32 i32 i32 i32 i32 i32"),
        ("path_symlink", "i32 i32 i32 i32 i32"),
        ("path_unlink_file", "i32 i32 i32"),
        ("poll_oneoff", "i32 i32 i32 i32"),
        ("proc_raise", "i32"),
        ("random_get", "i32 i32"),
        ("sched_yield", ""),
        ("sock_accept", "i32 i32 i32"),
        ("sock_recv", "i32 i32 i32 i32 i32 i32"),
        ("sock_send", "i32 i32 i32 i32 i32"),
        ("sock_shutdown", "i32 i32"),
    ];
    assert_eq!(functions.len(), 45, "and proc_exit, which returns nothing");
    for (name, params) in functions {
        for value in ["-1", "3", "65535", "0", "2147483647"] {
            let arguments: String = params.split_whitespace().map(|ty| format!("({ty}.const {value})")).collect();
            let text = format!(
                r#"(module (import "wasi_snapshot_preview1" "{name}" (func $f (param {params}) (result i32)))
                    (memory (export "memory") 1) (func (export "_start") (drop (call $f {arguments}))))"#
            );
            let outcome = run(command(&text), request("1"));
            assert!(
                matches!(outcome.status, Status::Completed | Status::OutputLimit | Status::OutOfFuel),
                "{name} {value}: {outcome:?}"
            );
        }
    }
}

const GO_PROGRAM: &str = r#"
package main

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"time"
)

func main() {
	var in map[string]int
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(4)
	}
	fmt.Fprintln(os.Stderr, "hello from", os.Args)
	began := time.Now()
	time.Sleep(time.Hour)
	os.MkdirAll("/out/deep/er", 0o755)
	if err := os.WriteFile("/out/deep/er/a.txt", []byte("made by go"), 0o644); err != nil {
		panic(err)
	}
	f, err := os.Create("/out/b.txt")
	if err != nil {
		panic(err)
	}
	f.WriteString("hello world")
	f.Seek(6, 0)
	f.WriteString("w")
	f.Truncate(7)
	f.Close()
	entries, _ := os.ReadDir("/out")
	names := []string{}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	back, _ := os.ReadFile("/out/b.txt")
	_, outside := os.ReadFile("/etc/passwd")
	json.NewEncoder(os.Stdout).Encode(map[string]any{
		"sum": in["a"] + in["b"], "slept": time.Since(began) >= time.Hour, "year": began.UTC().Year(),
		"names": names, "back": string(back), "outside": outside != nil, "random": rand.Int63(),
	})
	c := make(chan int)
	go func() { c <- 1 }()
	<-c
}
"#;

#[test]
fn a_go_program_runs() {
    if Command::new("go").arg("version").output().is_err() {
        println!("skipped: no go on this machine");
        return;
    }
    let folder = std::env::temp_dir().join("agent-engine-go-test");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("main.go"), GO_PROGRAM).expect("written");
    let built = Command::new("go")
        .args(["build", "-o", "main.wasm", "main.go"])
        .envs([("GOOS", "wasip1"), ("GOARCH", "wasm"), ("GOFLAGS", "-mod=mod"), ("GO111MODULE", "off")])
        .current_dir(&folder)
        .status();
    assert!(built.expect("go runs").success());
    let wasm = std::fs::read(folder.join("main.wasm")).expect("built");
    let prepared = prepare(ProgramKind::Command, &wasm).expect("a valid command");
    println!("{} bytes of Go compiled in {} us", wasm.len(), prepared.prepare_micros);
    let handle = prepared.handle;
    let outcome = run(handle, RunRequest { args: vec!["x".into()], ..request(r#"{"a":40,"b":2}"#) });
    let told = output(&outcome);
    let expected = r#"{"back":"hello w","names":["b.txt","deep"],"outside":true,"random":"#;
    assert!(told.starts_with(expected) && told.ends_with(r#""slept":true,"sum":42,"year":2000}"#), "{told}");
    assert_eq!(String::from_utf8_lossy(&outcome.stderr), "hello from [agent x]\n");
    let artifacts: Vec<_> = outcome.artifacts.iter().map(|artifact| (artifact.name.as_str(), &artifact.bytes[..])).collect();
    assert_eq!(artifacts, [("b.txt", &b"hello w"[..]), ("deep/er/a.txt", b"made by go")]);
    let again = run(handle, RunRequest { args: vec!["x".into()], ..request(r#"{"a":40,"b":2}"#) });
    assert_eq!((output(&again), again.fuel), (told, outcome.fuel));
    let other_seed = run(handle, RunRequest { args: vec!["x".into()], seed: 99, ..request(r#"{"a":40,"b":2}"#) });
    assert_ne!(output(&other_seed), told);
    assert_eq!(run(handle, request("no json")).error.and_then(|error| error.exit_code), Some(4));
}

#[test]
fn a_dropped_program_is_gone_and_a_full_queue_says_so() {
    use agent_engine::reply::Reply;
    use agent_engine::sandbox::Rejection;
    let handle = printing("1");
    SANDBOX.drop_program(handle);
    assert_eq!(SANDBOX.run(handle, request("1"), Reply::new(|_| {})), Err(Rejection::UnknownProgram { handle }));
    let handle = printing("1");
    let mut large = request("1");
    large.limits.input_bytes = 0;
    assert_eq!(SANDBOX.run(handle, large, Reply::new(|_| {})), Err(Rejection::InputTooLarge { bytes: 1, allowed: 0 }));
    let busy = (0..10_000).find_map(|_| SANDBOX.run(handle, request("1"), Reply::new(|_| {})).err());
    assert!(matches!(busy, None | Some(Rejection::Busy)));
}
