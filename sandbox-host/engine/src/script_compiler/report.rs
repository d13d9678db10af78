//! What became of the functions of a script, for its author: how many are compiled, and why others are not.
use serde_json::json;

/// More are counted, not listed.
const LISTED_MAX: usize = 100;
/// Names are as long as their author likes.
pub const NAME_CHARS_MAX: usize = 100;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interpreted {
    /// In the prepared code, from 1; 0 where it is not known.
    pub line: u32,
    pub column: u32,
    pub name: String,
    pub reason: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub compiled: usize,
    /// In the order of the code.
    pub interpreted: Vec<Interpreted>,
    /// Why the script as a whole stays interpreted.
    pub reason: Option<String>,
}

impl Report {
    pub fn of_whole(reason: String) -> Self {
        Self { reason: Some(reason), ..Self::default() }
    }

    /// As `functionReportSchema` of `engines/function-report.ts` reads it.
    pub fn json(&self) -> String {
        let listed = self.interpreted.iter().take(LISTED_MAX);
        let listed: Vec<_> = listed
            .map(|function| {
                let Interpreted { line, column, name, reason } = function;
                json!({ "name": name, "line": line, "column": column, "reason": reason })
            })
            .collect();
        let Self { compiled, interpreted, reason } = self;
        json!({ "compiled": compiled, "interpretedCount": interpreted.len(), "interpreted": listed, "reason": reason })
            .to_string()
    }
}
