//! The one Wasmtime engine of the process and the reasons for each of its settings.
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, RegallocAlgorithm, Result,
};

/// Changes whenever the same program could give other bytes or other fuel for a reason that no hash below names.
pub const ABI_VERSION: u32 = 1;

/// The version of Wasmtime that Cargo.toml pins; a test compares it with Cargo.lock.
pub const WASMTIME_VERSION: &str = "48.0.8";

/// Native stack of a guest. QuickJS ends a recursion by itself at `script_image::STACK_BYTES` of its own stack, which takes
/// less native stack than this (tests/script.rs recurses to the end in several ways).
pub const WASM_STACK_BYTES: usize = 4 << 20;

/// Headroom for host functions, which run on the guest's stack.
const FIBER_STACK_BYTES: usize = WASM_STACK_BYTES + (1 << 20);

/// Of a stack, what the next guest finds zeroed by copying; the rest goes back to the system, or one deep recursion per slot would
/// keep gigabytes.
const STACK_KEEP_RESIDENT_BYTES: usize = 32 << 10;

/// Elements of a guest's one table. A Go or C program of the largest allowed size stays below.
pub const TABLE_ELEMENTS_MAX: usize = 65_536;

/// Of a memory, the changed pages that are restored by copying instead of by a system call and page faults. A no-op script changes 50
/// pages; every slot may hold this much between runs.
const KEEP_RESIDENT_BYTES: usize = 2 << 20;

/// The same of a table: 8,192 elements. The script module has 1,200.
const TABLE_KEEP_RESIDENT_BYTES: usize = 64 << 10;

/// Core modules that one component instantiates: its own, and the glue that toolchains add (Rust for WASI 0.2 has 3, `jco` 4).
pub const COMPONENT_INSTANCES_MAX: u32 = 16;
/// One, so that the limit on a run's memory is the limit on a memory, as for the other kinds.
const COMPONENT_MEMORIES_MAX: u32 = 1;
/// Its own and one of the glue; each takes 512 KiB of address space in every slot.
const COMPONENT_TABLES_MAX: u32 = 4;

#[derive(Clone, Debug)]
pub struct PoolSize {
    /// Instances that exist at once.
    pub slots: u32,
    /// Linear memory of one instance.
    pub memory_bytes_max: usize,
}

pub fn sandbox_engine(size: &PoolSize) -> Result<Engine> {
    let mut pooling = PoolingAllocationConfig::new();
    pooling
        .total_component_instances(size.slots)
        .max_core_instances_per_component(COMPONENT_INSTANCES_MAX)
        .max_memories_per_component(COMPONENT_MEMORIES_MAX)
        .max_tables_per_component(COMPONENT_TABLES_MAX)
        .total_core_instances(size.slots.saturating_mul(COMPONENT_INSTANCES_MAX))
        .total_memories(size.slots.saturating_mul(COMPONENT_MEMORIES_MAX))
        .total_tables(size.slots.saturating_mul(COMPONENT_TABLES_MAX))
        .total_stacks(size.slots)
        .max_memory_size(size.memory_bytes_max)
        .table_elements(TABLE_ELEMENTS_MAX)
        .max_unused_warm_slots(size.slots)
        .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
        .table_keep_resident(TABLE_KEEP_RESIDENT_BYTES)
        .async_stack_keep_resident(STACK_KEEP_RESIDENT_BYTES)
        .pagemap_scan(pagemap_scan());
    let mut config = guest_config();
    config.cranelift_opt_level(OptLevel::Speed).allocation_strategy(InstanceAllocationStrategy::Pooling(pooling));
    Engine::new(&config)
}

/// Makes code that `sandbox_engine` can load; it runs nothing, so it needs no pool.
pub fn compiler_engine() -> Result<Engine> {
    Engine::new(guest_config().cranelift_opt_level(OptLevel::Speed))
}

/// The same, but for how long compiling takes, and running; for tests.
pub fn quick_compiler_engine() -> Result<Engine> {
    let mut config = guest_config();
    config.cranelift_opt_level(OptLevel::None).cranelift_regalloc_algorithm(RegallocAlgorithm::SinglePass);
    Engine::new(&config)
}

/// Compiles the script engine once, only to initialise it: quick to compile, and nothing it runs is metered.
pub fn boot_engine() -> Result<Engine> {
    let mut config = guest_config();
    config.cranelift_opt_level(OptLevel::None).consume_fuel(false);
    Engine::new(&config)
}

/// What a guest may be and how it behaves, the same for every engine of ours.
fn guest_config() -> Config {
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .memory_init_cow(true)
        .max_wasm_stack(WASM_STACK_BYTES)
        .async_stack_size(FIBER_STACK_BYTES)
        .async_stack_zeroing(true)
        // The same bits on every host, or receipts could not be checked.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .wasm_backtrace_max_frames(None)
        .wasm_multi_memory(false)
        .wasm_memory64(false)
        .wasm_tail_call(false);
    config
}

/// Wasmtime refuses to start when this is demanded of a kernel that lacks it (before 6.7), hence `Auto`.
fn pagemap_scan() -> Enabled {
    Enabled::Auto
}
