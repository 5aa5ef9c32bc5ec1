//! One seed, one run: byte for byte.

use rollcall::seal::Keys;
use rollcall_sim::schedule::{Options, run};

#[test]
fn the_same_seed_gives_the_same_trace() {
    let keys = Keys::from_secret("the simulated installation's person key").unwrap();
    let trace = |seed| {
        let report = run(seed, &Options { trace: true, ..Options::default() }, &keys).unwrap();
        (report.trace.join("\n"), report.faults, report.premises)
    };
    let mut lines = 0;
    for seed in 0..8 {
        let first = trace(seed);
        // Another run in between: nothing of it may be left.
        let _other = trace(seed + 1_000);
        assert_eq!(trace(seed), first, "seed {seed}");
        lines += first.0.lines().count();
    }
    assert!(lines > 300, "the traces are worth comparing: {lines} lines");
}
