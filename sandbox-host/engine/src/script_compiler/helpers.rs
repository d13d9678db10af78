//! What a side module imports of the engine's module: memory, table, stack pointer, and the functions of `compiled.c`.
use wasm_encoder::ValType::{self, F64, I32, I64};

macro_rules! helpers {
    ($($helper:ident $name:literal ($($parameter:ident)*) $(-> $result:ident)?;)*) => {
        /// In the order in which they are imported, and so by index.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Helper { $($helper,)* }

        pub const HELPERS: &[(&str, &[ValType], &[ValType])] = &[$(($name, &[$($parameter),*], &[$($result)?]),)*];
    };
}

helpers! {
    Free "compiled_free" (I64);
    Overflow "compiled_overflow" (I32) -> I64;
    Step "compiled_step" (I32 I32) -> I32;
    Resume "compiled_resume" (I32 I32 I32 I32 I32 I32 I32 I64 I64) -> I64;
    Close "compiled_close" ();
    CloseVariable "compiled_close_variable" (I32);
    Closure "compiled_closure" (I32 I32) -> I64;
    Binary "compiled_binary" (I64 I64 I32) -> I64;
    Unary "compiled_unary" (I64 I32 I32) -> I64;
    TypeOf "compiled_type_of" (I64) -> I64;
    TypeOfIs "compiled_type_of_is" (I64 I32) -> I32;
    Truth "compiled_truth" (I64) -> I32;
    Remainder "compiled_remainder" (F64 F64) -> F64;
    AddTo "compiled_add_to" (I32 I64 I32) -> I32;
    GetField "compiled_get_field" (I64 I32 I32 I32) -> I64;
    GetMethod "compiled_get_method" (I64 I32 I32 I32) -> I64;
    PutField "compiled_put_field" (I64 I64 I32 I32 I32) -> I32;
    GetElement "compiled_get_element" (I64 I64 I32) -> I64;
    PutElement "compiled_put_element" (I64 I64 I64 I32) -> I32;
    Call "compiled_call" (I64 I64 I32 I32) -> I64;
    Construct "compiled_construct" (I32 I32 I32) -> I64;
    GetGlobal "compiled_get_global" (I32 I32 I32) -> I64;
    Object "compiled_object" (I32) -> I64;
    Array "compiled_array" (I32 I32 I32) -> I64;
    DefineField "compiled_define_field" (I64 I64 I32 I32) -> I32;
    ForOfNext "compiled_for_of_next" (I32 I32 I32) -> I32;
    Uninitialized "compiled_uninitialized" (I32 I32 I32);
}

impl Helper {
    pub fn index(self) -> u32 {
        self as u32
    }
}

/// `CompiledFunction` of QuickJS: caller's context, function, this, new.target, count of arguments, arguments, flags.
pub const COMPILED_PARAMETERS: [ValType; 7] = [I32, I64, I64, I64, I32, I32, I32];
