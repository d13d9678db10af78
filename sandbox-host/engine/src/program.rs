//! A program that is ready to run, as the process keeps it by handle.
use crate::command::Command;
use crate::component::ComponentProgram;
use crate::snapshot::Snapshot;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgramKind {
    Script,
    Command,
    Component,
}

pub enum Program {
    Script(Snapshot),
    Command(Command),
    Component(ComponentProgram),
}

impl Program {
    /// What keeping it costs.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Script(snapshot) => snapshot.bytes(),
            Self::Command(command) => command.code_bytes,
            Self::Component(component) => component.code_bytes,
        }
    }
}
