//! Guests can forge what the prelude answers: decoding it never fails, and gives no more than was said.
#![no_main]
use agent_engine::script_answer::Answer;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|output: &[u8]| {
    match Answer::decode(output) {
        Answer::Completed(text) => assert_eq!(text.len() + 1, output.len()),
        // JSON's shortest escape gives three bytes for six.
        Answer::Threw(error) => assert!(error.message.len() <= output.len().max(100)),
        Answer::Loaded => {}
    }
});
