//! A script agent at rest: the pages of 4 KiB that differ from the initialised engine's image after the agent's module was
//! evaluated. Restoring grows the memory and copies them. The stored form begins with a mark, then, all numbers little-endian u64:
//!
//! ```text
//! "agtsnap1" | bytes of memory | number of runs | at, length of each run … | the runs' bytes, one after the other
//! ```
use std::fmt;
use wasmtime::{AsContextMut, Memory, Result};

/// Page of the hosts we run on; a finer grain would find more equal bytes but touch the same pages.
pub const PAGE_BYTES: usize = 4096;
const WASM_PAGE_BYTES: usize = 65_536;
/// What 32 bits address.
const MEMORY_BYTES_MAX: usize = 1 << 32;
const MARK: &[u8; 8] = b"agtsnap1";

#[derive(Debug, PartialEq, Eq)]
pub struct Snapshot {
    memory_bytes: usize,
    /// Where each run of neighbouring pages goes, and how long it is, ascending; their bytes lie in `bytes` one after the other.
    runs: Vec<(usize, usize)>,
    bytes: Box<[u8]>,
}

/// A stored form that no snapshot of ours has.
#[derive(Debug, PartialEq, Eq)]
pub struct Damaged(&'static str);

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the snapshot is damaged: {}", self.0)
    }
}

impl Snapshot {
    /// `image` is followed by zeros up to the length of `memory`.
    pub fn take(image: &[u8], memory: &[u8]) -> Self {
        let mut runs: Vec<(usize, usize)> = Vec::new();
        let mut bytes = Vec::new();
        for (position, page) in memory.chunks(PAGE_BYTES).enumerate() {
            let at = position * PAGE_BYTES;
            let unchanged = match image.get(at..at + page.len()) {
                Some(original) => original == page,
                None => page.iter().all(|byte| *byte == 0),
            };
            if unchanged {
                continue;
            }
            bytes.extend_from_slice(page);
            match runs.last_mut() {
                Some((start, length)) if *start + *length == at => *length += page.len(),
                _ => runs.push((at, page.len())),
            }
        }
        Self { memory_bytes: memory.len(), runs, bytes: bytes.into() }
    }

    pub fn restore(&self, mut store: impl AsContextMut, memory: Memory) -> Result<()> {
        let missing = self.memory_bytes.saturating_sub(memory.data_size(&store));
        if missing > 0 {
            memory.grow(&mut store, (missing / WASM_PAGE_BYTES) as u64)?;
        }
        let data = memory.data_mut(&mut store);
        let mut rest = &self.bytes[..];
        for (at, length) in &self.runs {
            let (run, others) = rest.split_at(*length);
            data[*at..*at + *length].copy_from_slice(run);
            rest = others;
        }
        Ok(())
    }

    /// All of the memory as `restore` leaves it, over the `image` that it was taken from.
    pub fn memory(&self, image: &[u8]) -> Vec<u8> {
        let mut memory = image.to_vec();
        memory.resize(self.memory_bytes.max(image.len()), 0);
        let mut rest = &self.bytes[..];
        for (at, length) in &self.runs {
            let (run, others) = rest.split_at(*length);
            memory[*at..*at + *length].copy_from_slice(run);
            rest = others;
        }
        memory
    }

    /// Changes a word of a page that it holds; nothing if it does not hold it.
    pub fn set_word(&mut self, address: usize, word: u32) -> Option<()> {
        let mut kept = 0;
        for (at, length) in &self.runs {
            if (*at..*at + *length).contains(&address) {
                let place = kept + address - at;
                let bytes = self.bytes.get_mut(place..place + 4).filter(|_| address - at + 4 <= *length)?;
                bytes.copy_from_slice(&word.to_le_bytes());
                return Some(());
            }
            kept += length;
        }
        None
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut stored = Vec::with_capacity(24 + 16 * self.runs.len() + self.bytes.len());
        stored.extend_from_slice(MARK);
        let numbers = [self.memory_bytes, self.runs.len()].into_iter();
        for number in numbers.chain(self.runs.iter().flat_map(|(at, length)| [*at, *length])) {
            stored.extend_from_slice(&(number as u64).to_le_bytes());
        }
        stored.extend_from_slice(&self.bytes);
        stored
    }

    /// Whatever the bytes, the result is an error or a snapshot whose runs lie within its memory.
    pub fn decode(stored: &[u8]) -> Result<Self, Damaged> {
        let mut rest = stored.strip_prefix(MARK).ok_or(Damaged("it does not begin with the mark"))?;
        let memory_bytes = number(&mut rest)?;
        if memory_bytes > MEMORY_BYTES_MAX || !memory_bytes.is_multiple_of(WASM_PAGE_BYTES) {
            return Err(Damaged("its memory is no number of pages"));
        }
        let count = number(&mut rest)?;
        // Each takes 16 bytes, so that a count beyond them is not allocated for.
        if count > rest.len() / 16 {
            return Err(Damaged("it ends before its runs"));
        }
        let mut runs = Vec::with_capacity(count);
        let (mut free_from, mut total) = (0, 0);
        for _ in 0..count {
            let (at, length) = (number(&mut rest)?, number(&mut rest)?);
            let end =
                at.checked_add(length).filter(|end| *end <= memory_bytes).ok_or(Damaged("a run lies outside its memory"))?;
            if at < free_from {
                return Err(Damaged("its runs overlap"));
            }
            (free_from, total) = (end, total + length);
            runs.push((at, length));
        }
        if total != rest.len() {
            return Err(Damaged("its runs and its bytes differ in length"));
        }
        Ok(Self { memory_bytes, runs, bytes: rest.into() })
    }

    pub fn pages(&self) -> usize {
        self.bytes.len() / PAGE_BYTES
    }

    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }
}

fn number(rest: &mut &[u8]) -> Result<usize, Damaged> {
    let (first, others) = rest.split_first_chunk().ok_or(Damaged("it ends early"))?;
    *rest = others;
    usize::try_from(u64::from_le_bytes(*first)).map_err(|_| Damaged("a number is too large"))
}
