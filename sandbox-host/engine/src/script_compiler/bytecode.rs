//! The functions of a prepared script, as QuickJS keeps them: found among what its collector knows, and decoded to operations.
use super::heap::{Damaged, Heap, Places, Tables, opcode_texts};
use super::operation::Operation;
use super::report::{Interpreted, NAME_CHARS_MAX};
use super::types::Types;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// What is more is no script of ours: it would take longer to look at than to run.
const OBJECTS_MAX: usize = 4 << 20;
const CODE_BYTES_MAX: u32 = 1 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Plain,
    Integer,
    Digit,
    U8,
    I8,
    U16,
    I16,
    U32,
    Label8,
    Label16,
    Label,
    AtomAndU8,
}

#[derive(Clone, Debug)]
struct OpcodeForm {
    operation: Operation,
    name: String,
    size: u32,
    pops: u32,
    pushes: u32,
    format: Format,
    takes_arguments: bool,
}

pub struct Opcodes {
    forms: Vec<OpcodeForm>,
    numbers: HashMap<Operation, u8>,
    push_zero: u8,
}

impl Opcodes {
    pub fn read(heap: &Heap<'_>, tables: Tables) -> Result<Self, Damaged> {
        let mut forms = Vec::new();
        let (mut numbers, mut push_zero) = (HashMap::new(), 0);
        for (number, text) in opcode_texts(heap, tables)?.into_iter().enumerate() {
            let form = OpcodeForm::parse(text).ok_or(Damaged("an opcode is not described"))?;
            // The first form of an operation is its long one.
            numbers.entry(form.operation).or_insert(number as u8);
            if text.starts_with("push_0 ") {
                push_zero = number as u8;
            }
            forms.push(form);
        }
        Ok(Self { forms, numbers, push_zero })
    }

    pub fn number(&self, operation: Operation) -> i32 {
        self.numbers.get(&operation).map_or(0, |number| i32::from(*number))
    }

    pub fn name(&self, instruction: &Instruction) -> &str {
        &self.forms[usize::from(instruction.opcode)].name
    }

    pub fn names(&self) -> BTreeSet<String> {
        self.forms.iter().map(|form| form.name.clone()).collect()
    }

    fn decode(&self, code: &[u8], at: u32) -> Option<Instruction> {
        let opcode = *code.get(at as usize)?;
        let form = self.forms.get(usize::from(opcode))?;
        let operands = code.get(at as usize + 1..(at + form.size) as usize)?;
        let byte = |place: usize| operands.get(place).copied().map(u32::from);
        let short = |place: usize| Some(byte(place)? | byte(place + 1)? << 8);
        let word = |place: usize| Some(short(place)? | short(place + 2)? << 16);
        let label = |distance: i32| Some((at + 1).wrapping_add_signed(distance));
        let (mut operand, mut target) = (0, None);
        match form.format {
            Format::Plain => {}
            Format::Integer => operand = i32::from(opcode) - i32::from(self.push_zero),
            Format::Digit => operand = i32::from(form.name.bytes().last()? - b'0'),
            Format::U8 => operand = byte(0)? as i32,
            Format::I8 => operand = i32::from(byte(0)? as i8),
            Format::U16 => operand = short(0)? as i32,
            Format::I16 => operand = i32::from(short(0)? as i16),
            Format::U32 | Format::AtomAndU8 => operand = word(0)? as i32,
            Format::Label8 => target = label(i32::from(byte(0)? as i8)),
            Format::Label16 => target = label(i32::from(short(0)? as i16)),
            Format::Label => target = label(word(0)? as i32),
        }
        let mut instruction = Instruction {
            operation: form.operation,
            opcode,
            at,
            next: at + form.size,
            operand,
            target,
            pops: form.pops + if form.takes_arguments { operand as u32 } else { 0 },
            pushes: form.pushes,
        };
        match form.operation {
            Operation::PushAtom if form.format == Format::Plain => instruction.operand = EMPTY_STRING,
            Operation::GetField if form.format == Format::Plain => instruction.operand = LENGTH,
            Operation::ForOfNext => {
                instruction.pops = 3 + operand as u32;
                instruction.pushes = instruction.pops + 2;
            }
            Operation::CopyProperties => {
                let deepest = (operand & 3).max((operand >> 2) & 7).max((operand >> 5) & 7);
                instruction.pops = 1 + deepest as u32;
                instruction.pushes = instruction.pops;
            }
            _ => {}
        }
        Some(instruction)
    }
}

/// Operands that stand for atoms whose number only the layout knows.
const EMPTY_STRING: i32 = -1;
const LENGTH: i32 = -2;

impl OpcodeForm {
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let name = words.next()?;
        let (size, pops, pushes) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let told = words.next()?;
        let format = match told {
            "none" => Format::Plain,
            "none_int" => Format::Integer,
            "none_loc" | "none_arg" | "none_var_ref" | "npopx" => Format::Digit,
            "u8" | "loc8" | "const8" => Format::U8,
            "i8" => Format::I8,
            "u16" | "loc" | "arg" | "var_ref" | "npop" | "npop_u16" => Format::U16,
            "i16" => Format::I16,
            "u32" | "i32" | "const" | "atom" | "atom_u16" | "atom_label_u8" | "atom_label_u16" | "label_u16" => Format::U32,
            "atom_u8" => Format::AtomAndU8,
            "label8" => Format::Label8,
            "label16" => Format::Label16,
            "label" => Format::Label,
            _ => return None,
        };
        let plain = match told {
            "none_int" => "push_",
            "none_loc" | "none_arg" | "none_var_ref" | "npopx" => name.strip_suffix(|c: char| c.is_ascii_digit())?,
            "loc8" | "const8" | "label8" => name.strip_suffix('8').unwrap_or(name),
            "label16" => name.strip_suffix("16").unwrap_or(name),
            _ => name,
        };
        let takes_arguments = told.starts_with("npop");
        Some(Self { operation: Operation::named(plain), name: name.to_owned(), size, pops, pushes, format, takes_arguments })
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Instruction {
    pub operation: Operation,
    pub opcode: u8,
    /// Bytes from the start of the function's code.
    pub at: u32,
    pub next: u32,
    pub operand: i32,
    pub target: Option<u32>,
    pub pops: u32,
    pub pushes: u32,
}

#[derive(Default)]
pub struct FunctionCode {
    /// Of its bytecode in memory.
    pub address: u32,
    pub code_address: u32,
    pub name_atom: u32,
    pub instructions: BTreeMap<u32, Instruction>,
    pub arguments: usize,
    pub variables: usize,
    pub stack: usize,
    pub references: usize,
    pub closure: usize,
    pub realm: u32,
    pub mode: u8,
    /// Not a generator and not asynchronous.
    pub is_plain: bool,
    /// Whether what it was passed is as it was when it returns.
    pub keeps_arguments: bool,
    /// Arguments, then variables, that closures share.
    captured: Vec<bool>,
    constants: Vec<u64>,
    /// Values of the atoms that it pushes.
    atoms: HashMap<i32, u64>,
}

impl Instruction {
    /// Of a function that the module has once: what matters of it comes as parameters.
    pub fn shared(operation: Operation) -> Self {
        Self { operation, opcode: 0, at: 0, next: 0, operand: 0, target: None, pops: 0, pushes: 0 }
    }
}

impl FunctionCode {
    pub fn is_argument_captured(&self, index: usize) -> bool {
        self.captured.get(index).copied().unwrap_or(true)
    }

    pub fn is_variable_captured(&self, index: usize) -> bool {
        self.captured.get(self.arguments + index).copied().unwrap_or(true)
    }

    pub fn constant(&self, index: i32) -> Option<u64> {
        self.constants.get(usize::try_from(index).ok()?).copied()
    }

    /// Of an atom whose value is a string that lives as long as the function.
    pub fn atom(&self, atom: i32) -> Option<u64> {
        self.atoms.get(&atom).copied()
    }

    /// The types of a value that it pushes.
    pub fn pushed(&self, instruction: &Instruction) -> Types {
        let value = match instruction.operation {
            Operation::PushConstant => self.constant(instruction.operand),
            Operation::PushAtom => self.atom(instruction.operand),
            _ => None,
        };
        value.map_or(Types::ANY, Types::of_value)
    }
}

/// From the number of variables of outer functions: the file's atom, two lengths, then the address of the table.
const POSITIONS_BEHIND_CLOSURE_COUNT: u32 = 16;

/// A string; QuickJS's tag -7.
const STRING_TAG: u64 = 0xffff_fff9 << 32;
const ATOM_IS_INTEGER: u32 = 1 << 31;

pub struct Functions<'a> {
    heap: Heap<'a>,
    places: &'a Places,
    opcodes: &'a Opcodes,
}

impl<'a> Functions<'a> {
    pub fn new(heap: Heap<'a>, places: &'a Places, opcodes: &'a Opcodes) -> Self {
        Self { heap, places, opcodes }
    }

    /// What the collector knows of that type.
    fn collected(&self, wanted: u32) -> Result<Vec<u32>, Damaged> {
        let (heap, at) = (&self.heap, self.places);
        let head = heap.u32(at.runtime)?.wrapping_add(at.runtime_objects);
        let mut found = Vec::new();
        let mut seen = 0;
        // `list_head`: the previous entry, then the next.
        let mut link = heap.u32(head.wrapping_add(4))?;
        while link != head {
            seen += 1;
            if seen > OBJECTS_MAX {
                return Err(Damaged("the list of objects does not end"));
            }
            let object = link.wrapping_sub(at.collected_link);
            if u32::from(heap.u8(object.wrapping_sub(at.type_distance))? & 0x7f) == wanted {
                found.push(object);
            }
            link = heap.u32(link.wrapping_add(4))?;
        }
        Ok(found)
    }

    /// Addresses of all bytecode, in the order in which it was made.
    pub fn addresses(&self) -> Result<Vec<u32>, Damaged> {
        self.collected(self.places.type_bytecode)
    }

    /// The bytecode that each variable of a closure holds where a function object of it exists, by the closure's bytecode and the index.
    /// Only where all of them hold the same.
    pub fn callees(&self) -> Result<HashMap<(u32, u16), u32>, Damaged> {
        let (heap, at) = (&self.heap, self.places);
        let mut callees: HashMap<(u32, u16), u32> = HashMap::new();
        let mut conflicting = HashSet::new();
        for object in self.collected(at.type_object)? {
            let Some(bytecode) = self.bytecode_of(object)? else { continue };
            let references = heap.u32(object.wrapping_add(at.object_references))?;
            let count = heap.u32(bytecode.wrapping_add(at.bytecode_closure_count))?;
            for index in 0..u16::try_from(count).unwrap_or(0) {
                let reference = heap.u32(references.wrapping_add(4 * u32::from(index)))?;
                if reference == 0 {
                    continue;
                }
                let value = heap.u64(heap.u32(reference.wrapping_add(at.reference_value))?)?;
                if value >> 32 != 0xffff_ffff {
                    continue;
                }
                let Some(callee) = self.bytecode_of(value as u32)? else { continue };
                if *callees.entry((bytecode, index)).or_insert(callee) != callee {
                    conflicting.insert((bytecode, index));
                }
            }
        }
        callees.retain(|place, _| !conflicting.contains(place));
        Ok(callees)
    }

    /// Of an object that is a function of the plain kind.
    fn bytecode_of(&self, object: u32) -> Result<Option<u32>, Damaged> {
        let class = self.heap.u16(object.wrapping_add(self.places.object_class))?;
        let is_function = u32::from(class) == self.places.class_function;
        if is_function { self.heap.u32(object.wrapping_add(self.places.object_bytecode)).map(Some) } else { Ok(None) }
    }

    pub fn read(&self, address: u32) -> Result<FunctionCode, Damaged> {
        let (heap, at) = (&self.heap, self.places);
        let word = |place: u32| heap.u32(address.wrapping_add(place));
        let half = |place: u32| heap.u16(address.wrapping_add(place)).map(usize::from);
        let length = word(at.bytecode_length)?;
        if length > CODE_BYTES_MAX {
            return Err(Damaged("a function is too long"));
        }
        let code_address = word(at.bytecode_code)?;
        let code = heap.bytes(code_address, length)?;
        let (arguments, variables) = (half(at.bytecode_argument_count)?, half(at.bytecode_variable_count)?);
        let definitions = word(at.bytecode_variables)?;
        let is_captured: Vec<bool> = (0..(arguments + variables) as u32)
            // The third bit behind the name and the scope.
            .map(|index| Ok(heap.u8(definitions.wrapping_add(at.variable_bytes * index + 8))? & 4 != 0))
            .collect::<Result<_, Damaged>>()?;
        let constants_at = word(at.bytecode_constants)?;
        let constants = heap
            .bytes(constants_at, word(at.bytecode_constant_count)?.min(CODE_BYTES_MAX).saturating_mul(8))?
            .as_chunks::<8>()
            .0
            .iter()
            .map(|bytes| u64::from_le_bytes(*bytes))
            .collect();
        let mode = heap.u8(address.wrapping_add(at.bytecode_mode))?;
        // Four bits of flags stand before the two of the kind.
        let is_plain = heap.u8(address.wrapping_add(at.bytecode_mode + 1))? >> 4 & 3 == 0;
        let mut function = FunctionCode {
            address,
            code_address,
            name_atom: word(at.bytecode_name)?,
            instructions: BTreeMap::new(),
            arguments,
            variables,
            stack: half(at.bytecode_stack_size)?,
            references: half(at.bytecode_reference_count)?,
            closure: word(at.bytecode_closure_count)? as usize,
            realm: word(at.bytecode_realm)?,
            mode,
            is_plain,
            keeps_arguments: !(0..arguments).any(|index| is_captured[index]),
            captured: is_captured,
            constants,
            atoms: HashMap::new(),
        };
        let mut pc = 0;
        while pc < length {
            let mut instruction = self.opcodes.decode(code, pc).ok_or(Damaged("an instruction is cut off or unknown"))?;
            match (instruction.operation, instruction.operand) {
                (Operation::PushAtom, EMPTY_STRING) => instruction.operand = at.atom_empty as i32,
                (Operation::GetField, LENGTH) => instruction.operand = at.atom_length as i32,
                _ => {}
            }
            if instruction.operation == Operation::PushAtom
                && let Some(value) = self.atom_value(instruction.operand as u32)?
            {
                function.atoms.insert(instruction.operand, value);
            }
            let name = self.opcodes.name(&instruction);
            function.keeps_arguments &= !name.contains("arg")
                && !matches!(name, "special_object" | "rest" | "eval" | "apply_eval")
                || instruction.operation == Operation::GetArgument;
            pc = instruction.next;
            function.instructions.insert(instruction.at, instruction);
        }
        Ok(function)
    }

    /// For the author. What cannot be read of it is left out: it is no reason to compile less.
    pub fn interpreted(&self, function: &FunctionCode, reason: String) -> Interpreted {
        let name = self.atom_text(function.name_atom).ok().flatten().unwrap_or_default();
        let (line, column) = self.position(function.address).ok().flatten().unwrap_or_default();
        Interpreted { line, column, name, reason }
    }

    /// Where the function begins, from 1: the first two numbers, each in groups of seven bits, of the table of its positions.
    fn position(&self, address: u32) -> Result<Option<(u32, u32)>, Damaged> {
        let (heap, at) = (&self.heap, self.places);
        let has_positions = heap.u8(address.wrapping_add(at.bytecode_mode + 2))? & 4 != 0;
        let table = heap.u32(address.wrapping_add(at.bytecode_closure_count + POSITIONS_BEHIND_CLOSURE_COUNT))?;
        if !has_positions || table == 0 {
            return Ok(None);
        }
        let mut next = table;
        let mut number = || -> Result<u32, Damaged> {
            let mut value = 0_u32;
            for shift in (0..32).step_by(7) {
                let byte = heap.u8(next)?;
                next = next.wrapping_add(1);
                value |= u32::from(byte & 0x7f) << shift;
                if byte & 0x80 == 0 {
                    break;
                }
            }
            Ok(value.wrapping_add(1))
        };
        Ok(Some((number()?, number()?)))
    }

    fn atom_text(&self, atom: u32) -> Result<Option<String>, Damaged> {
        let Some(value) = self.atom_value(atom)? else { return Ok(None) };
        let (heap, string) = (&self.heap, value as u32);
        // The length, and above it whether characters take 16 bits; two words more, then the characters.
        let (told, characters) = (heap.u32(string)?, string.wrapping_add(12));
        let length = (told & 0x7fff_ffff).min(NAME_CHARS_MAX as u32);
        let units = if told >> 31 != 0 {
            heap.bytes(characters, 2 * length)?.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit)).collect()
        } else {
            heap.bytes(characters, length)?.iter().map(|unit| u16::from(*unit)).collect::<Vec<_>>()
        };
        Ok(Some(String::from_utf16_lossy(&units)))
    }

    /// Numbers are made into strings each time.
    fn atom_value(&self, atom: u32) -> Result<Option<u64>, Damaged> {
        let runtime = self.heap.u32(self.places.runtime)?;
        if atom & ATOM_IS_INTEGER != 0 || atom >= self.heap.u32(runtime.wrapping_add(self.places.runtime_atoms_size))? {
            return Ok(None);
        }
        let atoms = self.heap.u32(runtime.wrapping_add(self.places.runtime_atoms))?;
        Ok(Some(STRING_TAG | u64::from(self.heap.u32(atoms.wrapping_add(4 * atom))?)))
    }
}
