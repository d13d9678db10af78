//! The body of one Wasm function as it is written: instructions, labels instead of depths, and locals that are given back.
use wasm_encoder::{BlockType, Function, InstructionSink, MemArg, ValType};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label(u32);

impl Label {
    /// Of nothing that was opened.
    pub const NONE: Self = Self(0);
}

pub struct Code {
    bytes: Vec<u8>,
    parameters: usize,
    locals: Vec<ValType>,
    /// Of the temporary ones: how many operands are in them.
    uses: Vec<u32>,
    /// Locals below are never given back.
    fixed: u32,
    free: Vec<u32>,
    control: Vec<Label>,
    labels: u32,
}

impl Code {
    pub fn new(parameters: &[ValType]) -> Self {
        Self {
            bytes: Vec::new(),
            parameters: parameters.len(),
            locals: parameters.to_vec(),
            uses: vec![0; parameters.len()],
            fixed: u32::MAX,
            free: Vec::new(),
            control: Vec::new(),
            labels: 0,
        }
    }

    pub fn put(&mut self) -> InstructionSink<'_> {
        InstructionSink::new(&mut self.bytes)
    }

    pub fn local(&mut self, kind: ValType) -> u32 {
        self.locals.push(kind);
        self.uses.push(0);
        self.locals.len() as u32 - 1
    }

    /// All locals from here on are temporary.
    pub fn fix_locals(&mut self) {
        self.fixed = self.locals.len() as u32;
    }

    pub fn is_temporary(&self, local: u32) -> bool {
        local >= self.fixed
    }

    pub fn temporary(&mut self, kind: ValType) -> u32 {
        match self.free.iter().rposition(|local| self.locals[*local as usize] == kind) {
            Some(at) => self.free.swap_remove(at),
            None => self.local(kind),
        }
    }

    /// Of a temporary local that no operand is in.
    pub fn give_back(&mut self, local: u32) {
        debug_assert!(self.is_temporary(local) && self.uses[local as usize] == 0);
        self.free.push(local);
    }

    pub fn hold(&mut self, local: u32) {
        if self.is_temporary(local) {
            self.uses[local as usize] += 1;
        }
    }

    pub fn release(&mut self, local: u32) {
        if self.is_temporary(local) {
            self.uses[local as usize] -= 1;
            if self.uses[local as usize] == 0 {
                self.free.push(local);
            }
        }
    }

    fn open(&mut self) -> Label {
        self.labels += 1;
        self.control.push(Label(self.labels));
        Label(self.labels)
    }

    pub fn block(&mut self) -> Label {
        self.put().block(BlockType::Empty);
        self.open()
    }

    pub fn looped(&mut self) -> Label {
        self.put().loop_(BlockType::Empty);
        self.open()
    }

    pub fn when(&mut self) {
        self.put().if_(BlockType::Empty);
        self.open();
    }

    pub fn when_giving(&mut self, kind: ValType) {
        self.put().if_(BlockType::Result(kind));
        self.open();
    }

    pub fn otherwise(&mut self) {
        self.put().else_();
    }

    pub fn end(&mut self) {
        self.put().end();
        self.control.pop();
    }

    fn depth(&self, label: Label) -> u32 {
        let place = self.control.iter().rposition(|open| *open == label).expect("a label that is open");
        (self.control.len() - 1 - place) as u32
    }

    pub fn go(&mut self, label: Label) {
        let depth = self.depth(label);
        self.put().br(depth);
    }

    pub fn go_if(&mut self, label: Label) {
        let depth = self.depth(label);
        self.put().br_if(depth);
    }

    pub fn finish(mut self) -> Function {
        self.put().end();
        let mut function = Function::new_with_locals_types(self.locals.split_off(self.parameters));
        function.raw(self.bytes);
        function
    }
}

/// A word of four bytes.
pub fn word(offset: u32) -> MemArg {
    MemArg { offset: u64::from(offset), align: 2, memory_index: 0 }
}

pub fn half(offset: u32) -> MemArg {
    MemArg { offset: u64::from(offset), align: 1, memory_index: 0 }
}

/// A value, or a float.
pub fn long(offset: u32) -> MemArg {
    MemArg { offset: u64::from(offset), align: 3, memory_index: 0 }
}
