//! What opcodes mean to the compiler: several short forms of QuickJS's are one operation, and what it has no code for is `Other`.

macro_rules! operations {
    ($($operation:ident $(= $($name:literal)|+)?;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Operation { $($operation,)* Other }

        impl Operation {
            /// The name is QuickJS's, without the digits of its short forms.
            pub fn named(name: &str) -> Self {
                match name {
                    $($($($name)|+ => Self::$operation,)?)*
                    _ => Self::Other,
                }
            }
        }
    };
}

operations! {
    PushInteger = "push_i32" | "push_i8" | "push_i16" | "push_minus1" | "push_";
    PushConstant = "push_const";
    PushAtom = "push_atom_value" | "push_empty_string";
    Closure = "fclosure";
    Undefined = "undefined";
    Null = "null";
    This = "push_this";
    False = "push_false";
    True = "push_true";
    Nop = "nop";
    Drop = "drop";
    Nip = "nip";
    Nip1 = "nip1";
    Dup = "dup";
    Dup1 = "dup1";
    Dup2 = "dup2";
    Dup3 = "dup3";
    Insert2 = "insert2";
    Insert3 = "insert3";
    Insert4 = "insert4";
    Perm3 = "perm3";
    Perm4 = "perm4";
    Perm5 = "perm5";
    Swap = "swap";
    Swap2 = "swap2";
    Rotate3Left = "rot3l";
    Rotate3Right = "rot3r";
    Rotate4Left = "rot4l";
    Rotate5Left = "rot5l";
    Call = "call";
    CallMethod = "call_method";
    TailCall = "tail_call";
    TailCallMethod = "tail_call_method";
    Construct = "call_constructor";
    Return = "return";
    ReturnUndefined = "return_undef";
    GetGlobal = "get_var";
    GetGlobalOrUndefined = "get_var_undef";
    GetVariable = "get_loc";
    PutVariable = "put_loc";
    SetVariable = "set_loc";
    GetChecked = "get_loc_check" | "get_loc_checkthis";
    PutChecked = "put_loc_check";
    SetChecked = "set_loc_check";
    PutInitial = "put_loc_check_init";
    SetUninitialized = "set_loc_uninitialized";
    CloseVariable = "close_loc";
    GetArgument = "get_arg";
    PutArgument = "put_arg";
    SetArgument = "set_arg";
    GetReference = "get_var_ref";
    PutReference = "put_var_ref";
    SetReference = "set_var_ref";
    GetReferenceChecked = "get_var_ref_check";
    PutReferenceChecked = "put_var_ref_check";
    IfFalse = "if_false";
    IfTrue = "if_true";
    Goto = "goto";
    Catch = "catch";
    GetField = "get_field" | "get_length";
    GetMethod = "get_field2";
    PutField = "put_field";
    GetElement = "get_array_el";
    GetElementMethod = "get_array_el2";
    PutElement = "put_array_el";
    ForOfNext = "for_of_next";
    ForOfStart = "for_of_start";
    CopyProperties = "copy_data_properties";
    Negate = "neg";
    Plus = "plus";
    Increment = "inc";
    Decrement = "dec";
    PostIncrement = "post_inc";
    PostDecrement = "post_dec";
    IncrementVariable = "inc_loc";
    DecrementVariable = "dec_loc";
    AddToVariable = "add_loc";
    Invert = "not";
    Not = "lnot";
    IsUndefinedOrNull = "is_undefined_or_null";
    IsUndefined = "is_undefined";
    IsNull = "is_null";
    TypeOf = "typeof";
    TypeOfIsUndefined = "typeof_is_undefined";
    TypeOfIsFunction = "typeof_is_function";
    In = "in";
    InstanceOf = "instanceof";
    Object = "object";
    ArrayOf = "array_from";
    DefineField = "define_field";
    Add = "add";
    Subtract = "sub";
    Multiply = "mul";
    Divide = "div";
    Remainder = "mod";
    ShiftLeft = "shl";
    ShiftRight = "sar";
    ShiftRightUnsigned = "shr";
    And = "and";
    Or = "or";
    Xor = "xor";
    Less = "lt";
    LessOrEqual = "lte";
    Greater = "gt";
    GreaterOrEqual = "gte";
    Equal = "eq";
    NotEqual = "neq";
    StrictEqual = "strict_eq";
    StrictNotEqual = "strict_neq";
    // The rest of the activation is the interpreter's: these jump, or end it, in ways that a step of one opcode cannot.
    Leave = "gosub" | "ret" | "throw" | "throw_error" | "nip_catch" | "eval" | "apply_eval" | "import" | "invalid" | "with_get_var"
        | "with_put_var" | "with_delete_var" | "with_make_ref" | "with_get_ref" | "make_var_ref";
    // A generator's or an asynchronous function's.
    Suspend = "initial_yield" | "yield" | "yield_star" | "async_yield_star" | "await" | "return_async" | "for_await_of_start"
        | "for_await_of_next";
}

impl Operation {
    /// How many values it takes, and which of them, from the deepest, it leaves, in order; for those that only move values.
    pub fn permutation(self) -> Option<(usize, &'static [usize])> {
        Some(match self {
            Self::Drop => (1, &[]),
            Self::Nip => (2, &[1]),
            Self::Nip1 => (3, &[1, 2]),
            Self::Dup => (1, &[0, 0]),
            Self::Dup1 => (2, &[0, 0, 1]),
            Self::Dup2 => (2, &[0, 1, 0, 1]),
            Self::Dup3 => (3, &[0, 1, 2, 0, 1, 2]),
            Self::Insert2 => (2, &[1, 0, 1]),
            Self::Insert3 => (3, &[2, 0, 1, 2]),
            Self::Insert4 => (4, &[3, 0, 1, 2, 3]),
            Self::Perm3 => (3, &[1, 0, 2]),
            Self::Perm4 => (4, &[2, 0, 1, 3]),
            Self::Perm5 => (5, &[3, 0, 1, 2, 4]),
            Self::Swap => (2, &[1, 0]),
            Self::Swap2 => (4, &[2, 3, 0, 1]),
            Self::Rotate3Left => (3, &[1, 2, 0]),
            Self::Rotate3Right => (3, &[2, 0, 1]),
            Self::Rotate4Left => (4, &[1, 2, 3, 0]),
            Self::Rotate5Left => (5, &[1, 2, 3, 4, 0]),
            _ => return None,
        })
    }

    pub fn changes_variable(self) -> bool {
        matches!(
            self,
            Self::PutVariable
                | Self::SetVariable
                | Self::PutChecked
                | Self::SetChecked
                | Self::PutInitial
                | Self::SetUninitialized
                | Self::IncrementVariable
                | Self::DecrementVariable
                | Self::AddToVariable
        )
    }

    /// Whether its code probably has a way out to the interpreter.
    pub fn may_leave(self) -> bool {
        let only_moves = matches!(
            self,
            Self::PushInteger
                | Self::PushConstant
                | Self::PushAtom
                | Self::Undefined
                | Self::Null
                | Self::True
                | Self::False
                | Self::This
                | Self::GetVariable
                | Self::GetArgument
                | Self::GetReference
                | Self::PutArgument
                | Self::PutReference
                | Self::Goto
                | Self::IfTrue
                | Self::IfFalse
                | Self::Not
                | Self::IsNull
                | Self::IsUndefined
                | Self::IsUndefinedOrNull
                | Self::Return
                | Self::ReturnUndefined
                | Self::Nop
        );
        !(only_moves || self.changes_variable() || self.permutation().is_some())
    }

    pub fn is_arithmetic(self) -> bool {
        matches!(self, Self::Add | Self::Subtract | Self::Multiply | Self::Divide | Self::Remainder)
    }

    pub fn is_bitwise(self) -> bool {
        matches!(self, Self::And | Self::Or | Self::Xor | Self::ShiftLeft | Self::ShiftRight | Self::ShiftRightUnsigned)
    }

    pub fn is_comparison(self) -> bool {
        matches!(
            self,
            Self::Less
                | Self::LessOrEqual
                | Self::Greater
                | Self::GreaterOrEqual
                | Self::Equal
                | Self::NotEqual
                | Self::StrictEqual
                | Self::StrictNotEqual
        )
    }
}
