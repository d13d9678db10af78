//! How a call into a guest ended, told as a status: the one place where Wasmtime's errors are understood.
use crate::deadline::DeadlineReached;
use crate::outcome::{GuestError, Status};
use crate::stop::Stop;
use wasmtime::{Error, Trap};

#[derive(Debug)]
pub enum Ending {
    /// The guest returned by itself. A command that exits with 0 has, too.
    Returned,
    Ended(Status, GuestError),
}

impl Ending {
    pub fn out_of_fuel() -> Self {
        Self::Ended(Status::OutOfFuel, GuestError::new("the fuel of the run is used up"))
    }
}

pub fn ending_of(result: Result<Result<(), Error>, DeadlineReached>) -> Ending {
    let error = match result {
        Ok(Ok(())) => return Ending::Returned,
        Ok(Err(error)) => error,
        Err(DeadlineReached) => return Ending::Ended(Status::Deadline, GuestError::new(Stop::Deadline.to_string())),
    };
    if let Some(stop) = error.downcast_ref::<Stop>() {
        return stopped(stop);
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => Ending::out_of_fuel(),
        Some(Trap::StackOverflow) => trapped("stack overflow: a recursion went too deep".into()),
        Some(trap) => trapped(trap.to_string()),
        None => trapped(error.to_string()),
    }
}

fn stopped(stop: &Stop) -> Ending {
    let status = match stop {
        Stop::Exit(0) => return Ending::Returned,
        Stop::Exit(code) => {
            let error = GuestError { exit_code: Some(*code), ..GuestError::new(stop.to_string()) };
            return Ending::Ended(Status::Threw, error);
        }
        Stop::MemoryLimit { .. } | Stop::TableLimit { .. } => Status::MemoryLimit,
        Stop::OutputLimit(_) => Status::OutputLimit,
        Stop::Deadline => Status::Deadline,
        Stop::BadPointer | Stop::Refused(_) => Status::Trapped,
    };
    Ending::Ended(status, GuestError::new(stop.to_string()))
}

fn trapped(message: String) -> Ending {
    Ending::Ended(Status::Trapped, GuestError::new(message))
}
