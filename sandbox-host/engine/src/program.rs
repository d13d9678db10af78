//! A program that is ready to run, as the process keeps it by handle.
use crate::command::Command;
use crate::component::ComponentProgram;
use crate::script_program::ScriptProgram;
use wasmtime::Result;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgramKind {
    Script,
    Command,
    Component,
}

impl ProgramKind {
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "script" => Some(Self::Script),
            "command" => Some(Self::Command),
            "component" => Some(Self::Component),
            _ => None,
        }
    }
}

pub enum Program {
    Script(ScriptProgram),
    Command(Command),
    Component(ComponentProgram),
}

impl Program {
    /// What a process of the same build makes the same program of, without the work of preparing it.
    pub fn stored(&self) -> Result<Vec<u8>> {
        match self {
            Self::Script(script) => Ok(script.stored()),
            Self::Command(command) => command.compiled(),
            Self::Component(component) => component.compiled(),
        }
    }

    /// What keeping it costs.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Script(script) => script.bytes(),
            Self::Command(command) => command.code_bytes,
            Self::Component(component) => component.code_bytes,
        }
    }
}
