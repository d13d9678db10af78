//! An answer that is owed. Dropping it unanswered, as a panic does, answers that the engine failed, so nobody waits for ever.

/// The engine itself failed; what the guest did does not matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineFailure(pub String);

type Receiver<T> = Box<dyn FnOnce(Result<T, EngineFailure>) + Send>;

pub struct Reply<T> {
    receiver: Option<Receiver<T>>,
}

impl<T> Reply<T> {
    pub fn new(receiver: impl FnOnce(Result<T, EngineFailure>) + Send + 'static) -> Self {
        Self { receiver: Some(Box::new(receiver)) }
    }

    pub fn send(mut self, answer: Result<T, EngineFailure>) {
        if let Some(receiver) = self.receiver.take() {
            receiver(answer);
        }
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        if let Some(receiver) = self.receiver.take() {
            receiver(Err(EngineFailure("the engine dropped the run before its end".into())));
        }
    }
}
