//! Runs strangers' programs in single-use Wasmtime instances: programs in, one tagged outcome out. Start reading in
//! `sandbox.rs`; `node.rs` is the border to Node and holds no logic.

pub mod bench;
pub mod cancel;
pub mod command;
pub mod compiler;
pub mod component;
pub mod deadline;
pub mod ending;
pub mod engine;
pub mod file_tree;
pub mod guest;
pub mod kernel;
pub mod limits;
pub mod nesting;
#[cfg(feature = "napi")]
mod node;
pub mod outcome;
pub mod output_json;
pub mod pool;
pub mod program;
pub mod random;
pub mod reply;
pub mod sandbox;
pub mod script;
pub mod script_answer;
pub mod script_compiler;
pub mod script_driver;
pub mod script_host;
pub mod script_image;
pub mod script_module;
pub mod script_program;
pub mod snapshot;
pub mod stop;
pub mod store;
pub mod upload;
pub mod virtual_clock;
pub mod warm;
pub mod wasi;
pub mod wasi_files;
pub mod wasi_imports;
pub mod wasi_paths;
pub mod wasi_poll;
pub mod wasi_process;
pub mod wasi_streams;
pub mod wasi_surroundings;
