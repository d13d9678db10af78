//! What the prelude says at the end of a load or a run, by the first letter of its text. Guests can forge it; the worst they reach is
//! an odd message of their own.
use crate::outcome::GuestError;
use serde_json::Value;

pub enum Answer {
    Loaded,
    Completed(Vec<u8>),
    Threw(GuestError),
}

impl Answer {
    pub fn decode(output: &[u8]) -> Self {
        match output.split_first() {
            Some((b'C', text)) => Self::Completed(text.to_vec()),
            Some((b'L', _)) => Self::Loaded,
            Some((b'T', text)) => Self::Threw(read_error(text)),
            _ => Self::Threw(GuestError {
                name: Some("InternalError".into()),
                ..GuestError::new("the script ended in an error that nothing can catch, such as a stack that is used up")
            }),
        }
    }
}

fn read_error(text: &[u8]) -> GuestError {
    let value: Value = serde_json::from_slice(text).unwrap_or_default();
    let field = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    GuestError { name: field("name"), message: field("message").unwrap_or_default(), stack: field("stack"), exit_code: None }
}
