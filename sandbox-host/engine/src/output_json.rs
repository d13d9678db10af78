//! Whether what a guest gives as its output is JSON, and where it stops being that.
use serde::de::IgnoredAny;

pub fn json_fault(output: &[u8]) -> Option<String> {
    match std::str::from_utf8(output) {
        Ok(text) => serde_json::from_str::<IgnoredAny>(text).err().map(|error| error.to_string()),
        Err(error) => Some(format!("byte {} is not UTF-8", error.valid_up_to())),
    }
}
