//! What components within a component may cost. The compiler copies a component out at each of its instantiations, so that thirty small
//! ones, each of which instantiates the one before twice, are a billion: the copies are bounded before it sees them.
//!
//! Every component instantiates only what was there before it, so on a way from the outermost to an innermost one each occurs at most
//! once, and the product of their instantiations bounds the number of ways. That holds as long as no component is handed one whose
//! contents it does not know, hence component types are refused.
use wasmparser::{ComponentInstance, ComponentType, InstanceTypeDeclaration, Payload};

/// A component that is put together of others has a dozen; what toolchains make of a program has at most a few.
const COPIES_MAX: u64 = 256;

pub struct Nesting {
    /// Instantiations in each of the modules and components that are being read, the innermost last.
    open: Vec<u64>,
    copies: u64,
}

impl Default for Nesting {
    fn default() -> Self {
        Self { open: Vec::new(), copies: 1 }
    }
}

impl Nesting {
    pub fn add(&mut self, payload: &Payload<'_>) -> Result<(), String> {
        match payload {
            Payload::Version { .. } => self.open.push(0),
            Payload::ComponentInstanceSection(section) => {
                for instance in section.clone() {
                    let instance = instance.map_err(|error| error.to_string())?;
                    if let (ComponentInstance::Instantiate { .. }, Some(here)) = (instance, self.open.last_mut()) {
                        *here += 1;
                    }
                }
            }
            Payload::ComponentTypeSection(section) => {
                for ty in section.clone() {
                    check_type(&ty.map_err(|error| error.to_string())?)?;
                }
            }
            Payload::End(_) => {
                self.copies = self.copies.saturating_mul(self.open.pop().unwrap_or(0).max(1));
                if self.copies > COPIES_MAX {
                    return Err(format!(
                        "the components inside could be copied out {} times or more, allowed are {COPIES_MAX}",
                        self.copies
                    ));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn check_type(ty: &ComponentType<'_>) -> Result<(), String> {
    match ty {
        ComponentType::Component(_) => {
            Err("the program has the type of a component; components cannot be handed to components here".into())
        }
        ComponentType::Instance(declarations) => declarations.iter().try_for_each(|declaration| match declaration {
            InstanceTypeDeclaration::Type(ty) => check_type(ty),
            _ => Ok(()),
        }),
        _ => Ok(()),
    }
}
