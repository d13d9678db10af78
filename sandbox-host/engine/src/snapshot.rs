//! A script agent at rest: the pages of 4 KiB that differ from the initialised engine's image after the agent's module was
//! evaluated. Restoring grows the memory and copies them.
use wasmtime::{AsContextMut, Memory, Result};

/// Page of the hosts we run on; a finer grain would find more equal bytes but touch the same pages.
pub const PAGE_BYTES: usize = 4096;
const WASM_PAGE_BYTES: usize = 65_536;

pub struct Snapshot {
    memory_bytes: usize,
    /// Where each run of neighbouring pages goes, and how long it is; their bytes lie in `bytes` one after the other.
    runs: Vec<(usize, usize)>,
    bytes: Box<[u8]>,
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
