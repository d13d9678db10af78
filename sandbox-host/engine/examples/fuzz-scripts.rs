//! Programs by chance, interpreted, compiled, and compiled with every cache failing: `npm run fuzz:scripts -- --help`.
#[path = "../tests/support/mod.rs"]
mod support;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use support::differential::{Verdict, shrunk, verdict};
use support::generate::programs;

const PROGRESS: Duration = Duration::from_secs(10);

#[derive(Default)]
struct Counts {
    same: u64,
    limited: u64,
    refused: u64,
    differing: u64,
    told: Option<Instant>,
}

struct Options {
    programs: u64,
    first: u64,
    threads: usize,
    /// Programs of one script.
    batch: u64,
    tries: usize,
    keep: Option<PathBuf>,
    shows: bool,
}

fn main() {
    let mut options = Options { programs: 1000, first: 1, threads: 1, batch: 8, tries: 400, keep: None, shows: false };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().unwrap_or_else(|| panic!("a value behind {argument}"));
        let number = |text: String| text.parse().unwrap_or_else(|_| panic!("{text} is no number"));
        match argument.as_str() {
            "--programs" => options.programs = number(value()),
            "--first" => options.first = number(value()),
            "--threads" => options.threads = number(value()) as usize,
            "--batch" => options.batch = number(value()).max(1),
            "--tries" => options.tries = number(value()) as usize,
            "--keep" => options.keep = Some(value().into()),
            "--show" => options.shows = true,
            other => panic!("{other} is no option"),
        }
    }
    if options.shows {
        print!("{}", programs(options.first..options.first + options.batch));
        return;
    }
    let next = AtomicU64::new(options.first);
    let counts = Mutex::new(Counts::default());
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..options.threads {
            scope.spawn(|| work(&options, &next, &counts, began));
        }
    });
    let counts = counts.into_inner().expect("no thread failed");
    println!("{}", summary(&counts, began));
    std::process::exit(i32::from(counts.differing > 0));
}

fn work(options: &Options, next: &AtomicU64, counts: &Mutex<Counts>, began: Instant) {
    let end = options.first + options.programs;
    loop {
        let first = next.fetch_add(options.batch, Ordering::Relaxed);
        if first >= end {
            return;
        }
        let seeds = first..(first + options.batch).min(end);
        let found = verdict(&programs(seeds.clone()));
        let is_alone = seeds.end == first + 1 || matches!(found, Verdict::Same);
        if is_alone {
            settle(options, counts, seeds, found, began);
            continue;
        }
        // Which of them is it?
        let mut differing = 0;
        for seed in seeds.clone() {
            let alone = verdict(&programs(seed..seed + 1));
            differing += usize::from(matches!(alone, Verdict::Differs(_)));
            settle(options, counts, seed..seed + 1, alone, began);
        }
        if let (Verdict::Differs(_), 0) = (&found, differing) {
            settle(options, counts, seeds, found, began);
        }
    }
}

fn settle(options: &Options, counts: &Mutex<Counts>, seeds: Range<u64>, found: Verdict, began: Instant) {
    if let Verdict::Differs(difference) = &found {
        println!("seeds {seeds:?}: {difference}");
        if let Some(directory) = &options.keep {
            let smaller = shrunk(&programs(seeds.clone()), difference, options.tries);
            std::fs::write(directory.join(format!("seed-{}.js", seeds.start)), smaller).expect("a directory that can be written");
        }
    }
    let mut counts = counts.lock().expect("no thread failed");
    let count = seeds.end - seeds.start;
    match &found {
        Verdict::Same => counts.same += count,
        Verdict::Limited(what) => {
            if counts.limited < 5 {
                println!("seeds {seeds:?} met a limit: {what}");
            }
            counts.limited += count;
        }
        Verdict::Refused(why) => {
            // What is refused is a mistake of the generator's.
            if counts.refused < 3 {
                println!("seeds {seeds:?} are refused: {why}");
            }
            counts.refused += count;
        }
        Verdict::Differs(_) => counts.differing += 1,
    }
    if counts.told.is_none_or(|told| told.elapsed() > PROGRESS) {
        counts.told = Some(Instant::now());
        eprintln!("{} (before seed {})", summary(&counts, began), seeds.end);
    }
}

fn summary(counts: &Counts, began: Instant) -> String {
    let Counts { same, limited, refused, differing, .. } = counts;
    let seconds = began.elapsed().as_secs_f64();
    let rate = (same + limited + refused + differing) as f64 / seconds;
    format!("{same} the same, {differing} differ, {limited} met a limit, {refused} refused; {seconds:.0} s, {rate:.1} a second")
}
