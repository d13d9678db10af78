//! The script engine, compiled and initialised once: the prelude is evaluated at boot and the memory that results becomes
//! the module's own image. Every agent and every run starts from it.
use crate::bench::block_on;
use crate::engine::boot_engine;
use crate::limits::{RunLimits, RunRequest};
use crate::script_compiler::{HELPERS, MEMORY, STACK_POINTER, TABLE, Tables};
use crate::script_driver::GLOBALS;
use crate::script_host::script_linker;
use crate::script_module::{bake, extend};
use crate::script_program::ScriptCode;
use crate::store::GuestState;
use wasmtime::{
    Engine, Error, Extern, Instance, InstancePre, Memory, Module, ModuleExport, Ref, Result, Store, Val, WasmParams, WasmResults,
};

/// Half of the 1 MiB that the module's linker gave it (`local/build-script-module.mjs`): QuickJS looks at it on entry of a function, and what it
/// calls until it looks again must fit.
pub const STACK_BYTES: i32 = 512 * 1024;

/// Heap at which QuickJS first looks for cycles; all other garbage it frees at once. Its default, 256 KiB, is less than the initialised
/// engine takes, so that every run began with a collection (measured: 60,000 of the 64,000 units of fuel of a no-op).
const GC_THRESHOLD_BYTES: i32 = 4 << 20;

/// More than adding the most functions takes.
const LINK_FUEL: u64 = 1 << 30;

/// What the prelude is called with, in order: the host functions by the letter that `script_host` knows.
const HOST_FUNCTIONS: [&str; 6] = ["o", "e", "a", "s", "n", "t"];

/// The name in messages and stacks of a script.
const FILE_NAME: &str = "agent.js";

pub struct ScriptImage {
    pub instance_pre: InstancePre<GuestState>,
    pub memory: ModuleExport,
    pub run: ModuleExport,
    pub load: ModuleExport,
    /// Linear memory of a fresh instance.
    pub bytes: Vec<u8>,
    /// Where the compiler of scripts is told about QuickJS.
    pub tables: Tables,
    /// Entries of the table of a fresh instance: compiled functions come behind them, always at the same place.
    pub table_base: u32,
    /// What compiled scripts import, in their order: memory, table, stack pointer, functions.
    linked: Vec<ModuleExport>,
}

impl ScriptImage {
    /// Initialises the script engine and compiles it; `engine` is the one that will run the agents. Takes about a second.
    pub fn boot(engine: &Engine, wasm: &[u8], prelude: &str) -> Result<Self> {
        let extended = extend(wasm).map_err(|why| Error::msg(format!("the script module cannot be used: {why}")))?;
        let (bytes, globals) = initialise(&extended, prelude)?;
        let baked = bake(&extended, &bytes, &globals).map_err(Error::msg)?;
        Self::assemble(engine, &Module::new(engine, &baked)?)
    }

    /// From what `compiled` gave.
    ///
    /// # Safety
    /// The bytes must be what `compiled` gave to somebody who is trusted: they are machine code.
    pub unsafe fn load(engine: &Engine, compiled: &[u8]) -> Result<Self> {
        // SAFETY: the caller's promise.
        let module = unsafe { Module::deserialize(engine, compiled) }?;
        Self::assemble(engine, &module)
    }

    /// Machine code and initialised memory, which a process of the same build can load in milliseconds.
    pub fn compiled(&self) -> Result<Vec<u8>> {
        self.instance_pre.module().serialize()
    }

    fn assemble(engine: &Engine, module: &Module) -> Result<Self> {
        let instance_pre = script_linker(engine, module)?.instantiate_pre(module)?;
        let export = |name: &str| module.get_export_index(name).ok_or_else(|| Error::msg(format!("no export {name}")));
        let mut store = Store::new(engine, GuestState::new(boot_request()));
        let instance = block_on(instance_pre.instantiate_async(&mut store))?;
        let memory = instance.get_memory(&mut store, "memory").ok_or_else(|| Error::msg("no memory"))?;
        let bytes = memory.data(&store).to_vec();
        let table = instance.get_table(&mut store, TABLE).ok_or_else(|| Error::msg("no table"))?;
        let table_base = u32::try_from(table.size(&store))?;
        store.set_fuel(u64::MAX)?;
        let mut address = |name: &str| {
            let function = instance.get_typed_func::<(), i32>(&mut store, name)?;
            block_on(function.call_async(&mut store, ())).map(|address| address as u32)
        };
        let tables = Tables { layout: address("compiler_layout_table")?, opcodes: address("compiler_opcode_table")? };
        let names = [MEMORY, TABLE, STACK_POINTER].into_iter().chain(HELPERS.iter().map(|(name, ..)| *name));
        let linked = names.map(export).collect::<Result<_>>()?;
        let (memory, run, load) = (export("memory")?, export("agent_run")?, export("agent_load_module")?);
        Ok(Self { memory, run, load, instance_pre, bytes, tables, table_base, linked })
    }

    /// Adds the compiled functions of a script to an instance; the snapshot says by their indices which they are.
    pub async fn link(&self, store: &mut Store<GuestState>, instance: Instance, code: &ScriptCode) -> Result<()> {
        let missing = || Error::msg("the script engine lacks what compiled scripts import");
        let mut imports = Vec::with_capacity(self.linked.len());
        for export in &self.linked {
            imports.push(instance.get_module_export(&mut *store, export).ok_or_else(missing)?);
        }
        let table = imports.get(1).cloned().and_then(Extern::into_table).ok_or_else(missing)?;
        let base = table.grow(&mut *store, u64::from(code.functions), Ref::Func(None))?;
        if base != u64::from(self.table_base) {
            return Err(Error::msg("the table of the script engine has grown before"));
        }
        // Wasmtime fills the table by code that it makes for it. That is no work of the guest's, and an instance that waits has no fuel at all.
        let fuel = store.get_fuel()?;
        store.set_fuel(LINK_FUEL)?;
        Instance::new_async(&mut *store, &code.module, &imports).await?;
        store.set_fuel(fuel)
    }
}

/// The memory and the globals of an instance that has evaluated the prelude.
fn initialise(extended: &[u8], prelude: &str) -> Result<(Vec<u8>, Vec<i32>)> {
    let engine = boot_engine()?;
    let module = Module::new(&engine, extended)?;
    let mut store = Store::new(&engine, GuestState::new(boot_request()));
    let instance = script_linker(&engine, &module)?.instantiate(&mut store, &module)?;
    let memory = instance.get_memory(&mut store, "memory").ok_or_else(|| Error::msg("no memory"))?;
    store.data_mut().memory = Some(memory);
    let mut boot = Boot { store, instance, memory };
    let handles = boot.start(prelude)?;
    let mut globals = vec![boot.global("__stack_pointer")?];
    globals.extend(handles);
    Ok((boot.memory.data(&boot.store).to_vec(), globals))
}

struct Boot {
    store: Store<GuestState>,
    instance: Instance,
    memory: Memory,
}

impl Boot {
    /// Values of `script_driver::GLOBALS`.
    fn start(&mut self, prelude: &str) -> Result<Vec<i32>> {
        self.call::<_, ()>("_initialize", ())?;
        if self.call::<_, i32>("qjs_init", ())? != 0 {
            return Err(Error::msg("the script engine did not start"));
        }
        self.call::<_, ()>("qjs_set_max_stack_size", STACK_BYTES)?;
        let undefined: i32 = self.call("qjs_get_undefined", ())?;
        let scratch: i32 = self.call("wasm_malloc", 16)?;
        let file_name = self.text(FILE_NAME)?;
        // The driver's functions use these from the first call of a host function on.
        self.set_global("agent_scratch_handle", scratch)?;
        self.set_global("agent_undefined_handle", undefined)?;
        let exports = self.evaluate(prelude, undefined)?;
        let mut values = Vec::new();
        for name in GLOBALS {
            values.push(match name {
                "agent_undefined" => undefined,
                "agent_scratch" => scratch,
                "agent_filename" => file_name,
                _ => self.property(exports, name)?,
            });
        }
        self.call::<_, ()>("qjs_set_promise_rejection_handler", 1)?;
        self.call::<_, ()>("qjs_run_gc", ())?;
        self.call::<_, ()>("qjs_set_gc_threshold", GC_THRESHOLD_BYTES)?;
        Ok(values)
    }

    /// The prelude is a function; it is given the host functions and returns what the driver calls.
    fn evaluate(&mut self, prelude: &str, undefined: i32) -> Result<i32> {
        let source = self.text(prelude)?;
        let name = self.text("prelude.js")?;
        let main: i32 = self.call("qjs_eval", (source, prelude.len() as i32, name, 0))?;
        self.check(main)?;
        self.memory.data_mut(&mut self.store)[source as usize..source as usize + prelude.len()].fill(0);
        self.call::<_, ()>("wasm_free", source)?;
        let arguments: i32 = self.call("wasm_malloc", 4 * HOST_FUNCTIONS.len() as i32)?;
        for (position, letter) in HOST_FUNCTIONS.iter().enumerate() {
            let letter = self.text(letter)?;
            let function: i32 = self.call("qjs_new_host_function", (letter, 1, 0))?;
            self.memory.write(&mut self.store, arguments as usize + 4 * position, &function.to_le_bytes())?;
        }
        let exports: i32 = self.call("qjs_call", (main, undefined, HOST_FUNCTIONS.len() as i32, arguments))?;
        self.check(exports)?;
        Ok(exports)
    }

    fn property(&mut self, object: i32, name: &str) -> Result<i32> {
        let name = self.text(name)?;
        let value = self.call("qjs_get_prop_string", (object, name))?;
        self.call::<_, ()>("wasm_free", name)?;
        Ok(value)
    }

    fn check(&mut self, handle: i32) -> Result<()> {
        if self.call::<_, i32>("qjs_is_exception", handle)? == 0 {
            return Ok(());
        }
        let exception: i32 = self.call("qjs_get_exception", ())?;
        let mut told = String::from("the prelude does not run:");
        for part in ["message", "stack"] {
            let value = self.property(exception, part)?;
            let at: i32 = self.call("qjs_get_string", value)?;
            let bytes = &self.memory.data(&self.store)[at as usize..];
            let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(0);
            told = format!("{told} {}", String::from_utf8_lossy(&bytes[..end]));
        }
        Err(Error::msg(told))
    }

    /// A zero-terminated copy in the guest's memory.
    fn text(&mut self, text: &str) -> Result<i32> {
        let at: i32 = self.call("wasm_malloc", text.len() as i32 + 1)?;
        self.memory.write(&mut self.store, at as usize, text.as_bytes())?;
        self.memory.write(&mut self.store, at as usize + text.len(), &[0])?;
        Ok(at)
    }

    fn global(&mut self, name: &str) -> Result<i32> {
        let global = self.instance.get_global(&mut self.store, name).ok_or_else(|| Error::msg(format!("no global {name}")))?;
        global.get(&mut self.store).i32().ok_or_else(|| Error::msg(format!("global {name} is no i32")))
    }

    fn set_global(&mut self, name: &str, value: i32) -> Result<()> {
        let global = self.instance.get_global(&mut self.store, name).ok_or_else(|| Error::msg(format!("no global {name}")))?;
        global.set(&mut self.store, Val::I32(value))
    }

    fn call<Params: WasmParams, Results: WasmResults>(&mut self, name: &str, params: Params) -> Result<Results> {
        self.instance.get_typed_func::<Params, Results>(&mut self.store, name)?.call(&mut self.store, params)
    }
}

fn boot_request() -> RunRequest {
    let limits = RunLimits {
        memory_bytes: 64 << 20,
        wall_ms: 10_000,
        fuel: u64::MAX,
        input_bytes: 0,
        output_bytes: 0,
        log_bytes: 64 << 10,
        artifact_bytes: 0,
        artifact_count: 0,
    };
    RunRequest { input: String::new(), seed: 0, start_time_ms: START_TIME_MS, limits, args: Vec::new() }
}

/// 2000-01-01T00:00:00Z, where the clock of a deploy stands (`startTimeDefault` of `shared/execution.ts`).
pub const START_TIME_MS: u64 = 946_684_800_000;
