//! What a script agent sees, and what it gets back.
mod support;
use agent_engine::outcome::Status;
use agent_engine::program::ProgramKind;
use support::{limits, message, output, prepare, request, run, run_script, script};

#[test]
fn a_script_answers_with_json() {
    let outcome = run_script("export default (input) => ({ sum: input.a + input.b })", r#"{"a":1,"b":2}"#);
    assert_eq!(output(&outcome), r#"{"sum":3}"#);
    assert_eq!(outcome.status, Status::Completed);
    println!("{outcome:?}");
}
