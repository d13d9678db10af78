//! What the engine's threads share: the one Wasmtime engine, the script image, the programs by their handles, and the life of a run.
//! `sandbox.rs` is how callers reach it.
use crate::command::{self, command_linker};
use crate::compiler::compile_for;
use crate::component;
use crate::ending::Ending;
use crate::engine::{ABI_VERSION, WASMTIME_VERSION, compiler_engine, sandbox_engine};
use crate::limits::{RunLimits, RunRequest};
use crate::outcome::{Prepared, Refusal, RunOutcome, Status};
use crate::pool::Spare;
use crate::program::{Program, ProgramKind};
use crate::reply::EngineFailure;
use crate::sandbox::{Rejection, SandboxOptions};
use crate::script;
use crate::script_compiler::Settings;
use crate::script_image::ScriptImage;
use crate::script_program::{CompilerInput, ScriptProgram};
use crate::store::{GuestState, fuel_used};
use crate::warm::{WarmCounts, WarmLimits, WarmSet, WarmStats};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;
use wasmtime::component::Component;
use wasmtime::{Engine, Error, Linker, Module, Result, Store};

/// What the pool's threads share.
pub struct Kernel {
    engine: Engine,
    image: ScriptImage,
    commands: Linker<GuestState>,
    programs: RwLock<HashMap<u32, Arc<LoadedProgram>>>,
    handles: AtomicU32,
    version: String,
    memory_bytes_max: usize,
    warm_limits: WarmLimits,
    warm_counts: WarmCounts,
}

/// A program and the instances of it that wait for a run.
pub struct LoadedProgram {
    program: Program,
    warm: WarmSet,
}

impl Kernel {
    /// # Safety
    /// See `Sandbox::new`.
    pub unsafe fn new(options: &SandboxOptions) -> Result<Self> {
        let engine = sandbox_engine(&options.pool_size)?;
        // SAFETY: the caller's promise.
        let loaded = options.script_image.as_deref().and_then(|stored| unsafe { ScriptImage::load(&engine, stored) }.ok());
        // An image of another processor's is refused by Wasmtime; then it is made anew.
        let image = match loaded {
            Some(image) => image,
            None => ScriptImage::boot(&engine, &options.script_module, &options.prelude)?,
        };
        let commands = command_linker(&engine)?;
        let script = Sha256::new().chain_update(&options.script_module).chain_update(&options.prelude).finalize();
        let script: String = script.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        let version = format!("wasmtime-{WASMTIME_VERSION}+script-{script}+abi-{ABI_VERSION}");
        Ok(Self {
            engine,
            image,
            commands,
            programs: RwLock::default(),
            handles: AtomicU32::new(1),
            version,
            memory_bytes_max: options.pool_size.memory_bytes_max,
            warm_limits: options.warm_limits,
            warm_counts: WarmCounts::default(),
        })
    }

    /// For `SandboxOptions::script_image`.
    pub fn script_image(&self) -> Result<Vec<u8>> {
        self.image.compiled()
    }

    /// For `load`. Belongs to this build of the engine.
    pub fn stored(&self, handle: u32) -> Result<Vec<u8>> {
        let loaded = self.program(handle).map_err(|_| Error::msg(format!("no program has the handle {handle}")))?;
        loaded.program.stored()
    }

    /// What `compiler::compile` makes the compiled form of a script of; `load` takes that.
    pub fn compiler_input(&self, handle: u32, settings: Settings) -> Result<Vec<u8>> {
        let loaded = self.program(handle).map_err(|_| Error::msg(format!("no program has the handle {handle}")))?;
        let Program::Script(script) = &loaded.program else {
            return Err(Error::msg("only scripts are compiled after they are prepared"));
        };
        let snapshot = script.snapshot.encode();
        let ScriptImage { tables, table_base, bytes, .. } = &self.image;
        Ok(CompilerInput { tables: *tables, table_base: *table_base, settings, image: bytes, snapshot: &snapshot }.encode())
    }

    /// Part of every receipt: the same version gives the same bytes and the same fuel.
    pub fn version(&self) -> &str {
        &self.version
    }

    pub fn program(&self, handle: u32) -> Result<Arc<LoadedProgram>, Rejection> {
        let programs = self.programs.read().unwrap_or_else(PoisonError::into_inner);
        programs.get(&handle).cloned().ok_or(Rejection::UnknownProgram { handle })
    }

    pub async fn prepare(
        &self,
        kind: ProgramKind,
        code: Vec<u8>,
        limits: RunLimits,
    ) -> Result<Result<Prepared, Refusal>, EngineFailure> {
        let began = Instant::now();
        let made = match kind {
            ProgramKind::Script => self.prepare_script(code, limits).await.map_err(failure)?,
            // SAFETY: the code was made in the line before.
            _ => match compile_for(&self.engine, kind, &code) {
                Ok(compiled) => unsafe { self.assemble(kind, &compiled) }.map_err(failure)?,
                Err(refusal) => Err(refusal),
            },
        };
        Ok(made.map(|program| self.keep(program, began)))
    }

    /// A refusal says what a program imports or exports that it may not; an error, that the stored form is none of this build's.
    ///
    /// # Safety
    /// See `Sandbox::load`.
    pub unsafe fn load(&self, kind: ProgramKind, stored: &[u8]) -> Result<Result<Prepared, Refusal>, EngineFailure> {
        let began = Instant::now();
        // SAFETY: the caller's promise.
        let made = unsafe { self.assemble(kind, stored) }.map_err(failure)?;
        Ok(made.map(|program| self.keep(program, began)))
    }

    /// # Safety
    /// See `Sandbox::load`.
    unsafe fn assemble(&self, kind: ProgramKind, stored: &[u8]) -> Result<Result<Program, Refusal>> {
        let assembled = match kind {
            ProgramKind::Script => {
                // SAFETY: the caller's promise.
                return unsafe { ScriptProgram::load(&self.engine, stored) }.map(|script| Ok(Program::Script(script)));
            }
            // SAFETY: the caller's promise.
            ProgramKind::Command => unsafe { Module::deserialize(&self.engine, stored) }
                .and_then(|module| command::assemble(&self.commands, &module).map(Program::Command)),
            // SAFETY: the caller's promise.
            ProgramKind::Component => unsafe { Component::deserialize(&self.engine, stored) }
                .and_then(|component| component::assemble(&self.engine, &component).map(Program::Component)),
        };
        // SAFETY: the caller's promise.
        if assembled.is_err() && !unsafe { is_of_this_build(kind, stored) } {
            return assembled.map(Ok);
        }
        Ok(assembled.map_err(|error| Refusal::InvalidProgram(format!("{error:#}"))))
    }

    async fn prepare_script(&self, code: Vec<u8>, limits: RunLimits) -> Result<Result<Program, Refusal>> {
        match String::from_utf8(code) {
            Ok(source) => {
                let snapshot = script::prepare(&self.engine, &self.image, source, limits).await?;
                Ok(snapshot.map(|snapshot| Program::Script(ScriptProgram::interpreted(snapshot))))
            }
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                Ok(Err(Refusal::InvalidProgram(format!("the source is not UTF-8: see byte {at}"))))
            }
        }
    }

    fn keep(&self, program: Program, began: Instant) -> Prepared {
        let handle = self.handles.fetch_add(1, Ordering::Relaxed);
        let (snapshot_pages, snapshot_bytes, memory_bytes) = match &program {
            Program::Script(script) => {
                let snapshot = &script.snapshot;
                (snapshot.pages(), snapshot.bytes(), snapshot.memory_bytes() as u64)
            }
            Program::Command(command) => (0, 0, command.memory_bytes),
            Program::Component(component) => (0, 0, component.memory_bytes),
        };
        let report = if let Program::Script(script) = &program { script.report.clone() } else { None };
        let loaded = LoadedProgram { program, warm: WarmSet::default() };
        self.programs.write().unwrap_or_else(PoisonError::into_inner).insert(handle, Arc::new(loaded));
        let prepare_micros = began.elapsed().as_micros() as u64;
        Prepared { handle, snapshot_pages, snapshot_bytes, memory_bytes, prepare_micros, report }
    }

    pub fn drop_program(&self, handle: u32) {
        let dropped = self.programs.write().unwrap_or_else(PoisonError::into_inner).remove(&handle);
        if let Some(loaded) = dropped {
            loaded.warm.clear(&self.warm_counts);
        }
    }

    /// How many programs are loaded, their bytes, and what waits for them.
    pub fn program_stats(&self) -> (usize, usize, WarmStats) {
        let programs = self.programs.read().unwrap_or_else(PoisonError::into_inner);
        let bytes = programs.values().map(|loaded| loaded.program.bytes()).sum();
        (programs.len(), bytes, self.warm_counts.stats())
    }

    /// One run in an instance of its own.
    pub async fn run(&self, loaded: &LoadedProgram, request: RunRequest) -> Result<RunOutcome, EngineFailure> {
        let claimed = Instant::now();
        let fuel = request.limits.fuel;
        let warm = loaded.warm.claim(&request.limits, &self.warm_limits, &self.warm_counts);
        let was_warm = warm.is_some();
        let run = match &loaded.program {
            Program::Script(script) => script::run(&self.engine, &self.image, script, request, warm).await,
            Program::Command(command) => command::run(&self.engine, command, request, warm).await,
            Program::Component(component) => component::run(&self.engine, component, request).await,
        };
        let (ending, store, started) = run.map_err(failure)?;
        Ok(outcome(ending, store, Times { claimed, started, was_warm }, fuel))
    }

    /// For tests: a run of a script, and what it leaves on its heap; nothing if it was stopped.
    pub async fn run_counted(
        &self,
        loaded: &LoadedProgram,
        request: RunRequest,
    ) -> Result<(RunOutcome, Option<script::HeapCounts>), EngineFailure> {
        let Program::Script(script) = &loaded.program else { return Err(EngineFailure("only scripts are counted".into())) };
        let (claimed, fuel) = (Instant::now(), request.limits.fuel);
        let run = script::run_counted(&self.engine, &self.image, script, request).await.map_err(failure)?;
        let (ending, store, counts) = run;
        Ok((outcome(ending, store, Times { claimed, started: claimed, was_warm: false }, fuel), counts))
    }

    /// For comparisons only; see `bench::bench_raw`.
    pub async fn run_raw(&self, loaded: &LoadedProgram, request: RunRequest) -> Result<(), EngineFailure> {
        let Program::Command(command) = &loaded.program else { return Ok(()) };
        command::run_raw(&self.engine, command, request).await.map_err(failure)
    }

    /// Has an idle thread make an instance, if the program is hot and has too few.
    pub fn ask_for_one(self: &Arc<Self>, loaded: &Arc<LoadedProgram>, spare: &Spare) {
        if !loaded.warm.wants_one(&self.warm_limits) {
            return;
        }
        let (kernel, loaded, again) = (Arc::clone(self), Arc::clone(loaded), spare.clone());
        spare.submit(async move || {
            kernel.warm_up(&loaded).await;
            kernel.ask_for_one(&loaded, &again);
        });
    }

    /// Makes one instance that waits.
    pub async fn warm_up(&self, loaded: &LoadedProgram) {
        let total = self.warm_limits.total;
        let has_place = self.warm_counts.take_place(total) || (self.make_room(loaded) && self.warm_counts.take_place(total));
        if !has_place {
            return loaded.warm.give_up(false);
        }
        let made = match &loaded.program {
            Program::Script(script) => script::warm(&self.engine, &self.image, script, self.memory_bytes_max).await,
            Program::Command(command) => command::warm(&self.engine, command, self.memory_bytes_max).await,
            // They run code of their toolchain's when they are made.
            Program::Component(_) => Err(Error::msg("components do not wait")),
        };
        match made {
            Ok(instance) => loaded.warm.keep(instance, &self.warm_counts),
            Err(_) => {
                self.warm_counts.give_back(1);
                loaded.warm.give_up(true);
            }
        }
    }

    /// Takes one from the program that was used longest ago, if that was before this one: two that are hot would take from each other for ever.
    fn make_room(&self, wanting: &LoadedProgram) -> bool {
        let programs = self.programs.read().unwrap_or_else(PoisonError::into_inner);
        let waiting = programs.values().filter_map(|loaded| loaded.warm.idle_since().map(|since| (since, loaded)));
        match waiting.min_by_key(|(since, _)| *since) {
            Some((since, loaded)) if wanting.warm.used_since(since) => {
                loaded.warm.evict_one(&self.warm_counts);
                true
            }
            _ => false,
        }
    }

    /// Replaces what waited too long.
    pub fn refresh(self: &Arc<Self>, spare: &Spare) {
        let programs: Vec<_> = self.programs.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        for loaded in programs {
            loaded.warm.expire(&self.warm_limits, &self.warm_counts);
            self.ask_for_one(&loaded, spare);
        }
    }
}

/// Whether an engine without a pool loads it; then it is the program that does not fit, in memory or tables, into ours.
///
/// # Safety
/// See `Sandbox::load`.
unsafe fn is_of_this_build(kind: ProgramKind, stored: &[u8]) -> bool {
    compiler_engine().is_ok_and(|engine| match kind {
        // SAFETY: the caller's promise.
        ProgramKind::Component => unsafe { Component::deserialize(&engine, stored) }.is_ok(),
        // SAFETY: the caller's promise.
        _ => unsafe { Module::deserialize(&engine, stored) }.is_ok(),
    })
}

struct Times {
    claimed: Instant,
    started: Instant,
    was_warm: bool,
}

fn outcome(ending: Ending, store: Store<GuestState>, times: Times, fuel: u64) -> RunOutcome {
    let used = fuel_used(&store);
    // However it ended after that, it ended on fuel that it did not have.
    let ending = if used.is_none() { Ending::out_of_fuel() } else { ending };
    let state = store.into_data();
    let (status, error, output) = match ending {
        Ending::Returned => (Status::Completed, None, Some(state.output)),
        Ending::Ended(status, error) => (status, Some(error), None),
    };
    RunOutcome {
        status,
        output: output.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        error,
        stdout: state.stdout,
        stderr: state.stderr,
        logs_truncated: state.logs_truncated,
        artifacts: state.artifacts,
        fuel: used.unwrap_or(fuel),
        wall_micros: times.claimed.elapsed().as_micros() as u64,
        start_micros: times.started.duration_since(times.claimed).as_nanos() as f64 / 1e3,
        was_warm: times.was_warm,
        memory_bytes_peak: state.memory_bytes_peak,
    }
}

fn failure(error: Error) -> EngineFailure {
    EngineFailure(format!("{error:#}"))
}
