//! What is known of a value before it is there: which kinds it may be of.
use super::operation::Operation;
use std::ops::BitOr;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Types(u8);

impl Types {
    pub const INTEGER: Self = Self(1);
    pub const FLOAT: Self = Self(2);
    /// Booleans, null, undefined: what has no reference count, and whose low half is 1 if it is true.
    pub const SIMPLE: Self = Self(4);
    /// What has a reference count, and small bigints.
    pub const OTHER: Self = Self(8);
    pub const NUMBER: Self = Self(3);
    pub const ANY: Self = Self(15);
    /// What no expression gives: not initialised yet, or where on the stack something thrown is caught.
    pub const MARK: Self = Self(16);

    /// Of a value as QuickJS boxes it.
    pub fn of_value(value: u64) -> Self {
        match (value >> 32) as u32 {
            0 => Self::INTEGER,
            4 | 5 => Self::MARK,
            1..=6 => Self::SIMPLE,
            7 | 0xffff_fff7.. => Self::OTHER,
            _ => Self::FLOAT,
        }
    }

    pub fn without_mark(self) -> Self {
        Self(self.0 & !Self::MARK.0)
    }

    pub fn is_number(self) -> bool {
        self.0 & !Self::NUMBER.0 == 0
    }

    pub fn is_integer(self) -> bool {
        self == Self::INTEGER
    }

    pub fn is_float(self) -> bool {
        self == Self::FLOAT
    }

    pub fn may_be(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub fn is_counted(self) -> bool {
        self.may_be(Self::OTHER)
    }

    /// Of what an arithmetic operator makes of two.
    pub fn of_arithmetic(operation: Operation, left: Self, right: Self) -> Self {
        if !left.is_number() || !right.is_number() {
            // One number makes the other one of a product a number; a sum may be a string. A bigint throws.
            let is_one_number = left.is_number() || right.is_number();
            return if is_one_number && operation != Operation::Add { Self::NUMBER } else { Self::ANY };
        }
        let is_float = left.is_float() || right.is_float();
        if is_float { Self::FLOAT } else { Self::NUMBER }
    }

    pub fn of_bitwise(operation: Operation, left: Self, right: Self) -> Self {
        match left.is_number() || right.is_number() {
            true if operation == Operation::ShiftRightUnsigned => Self::NUMBER,
            true => Self::INTEGER,
            false => Self::ANY,
        }
    }

    /// Of one more or less, and of the same with its sign changed.
    pub fn of_step(self) -> Self {
        match self {
            Self::FLOAT => Self::FLOAT,
            _ if self.is_number() => Self::NUMBER,
            _ => Self::ANY,
        }
    }
}

impl BitOr for Types {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
