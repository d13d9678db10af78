//! The threads and the queue by themselves.
use agent_engine::pool::{Busy, Pool, PoolLimits};
use agent_engine::reply::{EngineFailure, Reply};
use std::sync::mpsc;

fn pool(queue_max: usize) -> Pool {
    Pool::start(PoolLimits { threads: 1, active_max: 1, queue_max }).expect("a thread")
}

#[test]
fn a_panic_costs_one_execution() {
    let pool = pool(8);
    let (sender, receiver) = mpsc::channel();
    for number in 0..3 {
        let sender = sender.clone();
        let reply = Reply::new(move |answer: Result<i32, EngineFailure>| sender.send(answer.is_ok()).expect("somebody listens"));
        let job = async move || {
            assert!(number != 1, "this one panics");
            reply.send(Ok(number));
        };
        pool.submit(job).expect("room in the queue");
    }
    drop(sender);
    assert_eq!(receiver.iter().collect::<Vec<_>>(), [true, false, true]);
}

#[test]
fn a_full_queue_refuses_and_closing_answers_what_waits() {
    let pool = pool(2);
    let (hold, held) = mpsc::channel::<()>();
    let (begun, begins) = mpsc::channel();
    pool.submit(async move || {
        begun.send(()).expect("somebody listens");
        held.recv().unwrap_or_default();
    })
    .expect("room");
    begins.recv().expect("it begins");
    let (sender, receiver) = mpsc::channel();
    for _ in 0..2 {
        let sender = sender.clone();
        let reply = Reply::new(move |answer: Result<(), EngineFailure>| sender.send(answer).expect("somebody listens"));
        pool.submit(async move || reply.send(Ok(()))).expect("room");
    }
    drop(sender);
    assert_eq!(pool.submit(async || {}), Err(Busy));
    pool.close();
    assert!(receiver.iter().all(|answer| answer.is_err()));
    assert_eq!(pool.submit(async || {}), Err(Busy));
    drop(hold);
}
