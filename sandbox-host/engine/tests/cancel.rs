//! Runs that are cancelled, before they begin and while their guest is at it, for each kind; and what they leave to others.
mod support;
use agent_engine::cancel::CancelFlag;
use agent_engine::limits::RunLimits;
use agent_engine::limits::RunRequest;
use agent_engine::outcome::RunOutcome;
use agent_engine::reply::{EngineFailure, Reply};
use std::sync::mpsc::{self, Receiver};
use std::thread::sleep;
use std::time::{Duration, Instant};
use support::{SANDBOX, command, limits, output, request, run, script};

type Answer = Result<RunOutcome, EngineFailure>;

/// Without end, as far as this test is concerned.
fn endless() -> RunRequest {
    RunRequest { limits: RunLimits { fuel: u64::MAX / 4, wall_ms: 60_000, ..limits() }, ..request("1") }
}

fn start(handle: u32, cancel: &CancelFlag) -> Receiver<Answer> {
    let (sender, receiver) = mpsc::channel();
    let reply = Reply::new(move |answer| sender.send(answer).unwrap_or_default());
    SANDBOX.run_unless_cancelled(handle, endless(), cancel.clone(), reply).expect("room in the queue");
    receiver
}

fn assert_ends_soon(receiver: &Receiver<Answer>) {
    let answer = receiver.recv_timeout(Duration::from_secs(20)).expect("an answer");
    assert_eq!(answer.err(), Some(EngineFailure("the run was cancelled".into())));
}

#[test]
fn a_run_that_goes_on_is_ended() {
    let looping = r#"(module (memory (export "memory") 1) (func (export "_start") (loop $again (br $again))))"#;
    for handle in [script("export default () => { for (;;); }"), command(looping)] {
        let cancel = CancelFlag::default();
        let receiver = start(handle, &cancel);
        let began = Instant::now();
        while SANDBOX.stats().pool.running == 0 && began.elapsed() < Duration::from_secs(10) {
            sleep(Duration::from_millis(1));
        }
        assert!(receiver.recv_timeout(Duration::from_millis(50)).is_err(), "it goes on");
        cancel.cancel();
        assert_ends_soon(&receiver);
    }
}

#[test]
fn a_run_that_was_cancelled_before_it_began_runs_nothing() {
    let cancel = CancelFlag::default();
    cancel.cancel();
    assert_ends_soon(&start(script("export default () => { for (;;); }"), &cancel));
}

#[test]
fn others_are_not_concerned() {
    let handle = script("export default (input) => input + 1");
    let cancel = CancelFlag::default();
    let receiver = start(script("export default () => { for (;;); }"), &cancel);
    assert_eq!(output(&run(handle, request("1"))), "2");
    cancel.cancel();
    assert_ends_soon(&receiver);
    assert_eq!(output(&run(handle, request("2"))), "3");
}
