//! What the kernel says of a process: processor time and peak memory.

use anyhow::{Context, Result};
use nix::time::clock_getcpuclockid;
use nix::unistd::Pid;
use std::time::Duration;

/// Processor time of a process so far, user and system, over all of its threads, those that ended too.
///
/// Source: the process's CPU-time clock, in nanoseconds (`clock_getcpuclockid(3)`). `/proc/<pid>/stat` has ticks of 10 ms,
/// too coarse for a batch; `/proc/<pid>/task/<tid>/schedstat` is gone with its thread.
///
/// # Errors
/// Where there is no such process.
pub(crate) fn processor_time(pid: u32) -> Result<Duration> {
    let pid = Pid::from_raw(i32::try_from(pid).context("a process id has 31 bits")?);
    let clock = clock_getcpuclockid(pid).context("the function's process is gone")?;
    Ok(Duration::from(clock.now().context("the function's process is gone")?))
}

/// The largest resident memory of a process so far, in bytes. Source: `VmHWM` of `/proc/<pid>/status` (proc(5)).
///
/// # Errors
/// Where there is no such process.
pub(crate) fn peak_memory(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).context("the function's process is gone")?;
    high_water(&status).context("status has no VmHWM")
}

fn high_water(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_words_are_read() {
        assert_eq!(high_water("VmSize:\t   16588 kB\nVmHWM:\t   13576 kB\nVmRSS:\t 1 kB\n"), Some(13_576 * 1024));
        assert_eq!(high_water("VmRSS:\t 1 kB\n"), None);
    }

    /// Counted while other threads come and go, as they do in a process of tests: their time stays in the sum.
    #[test]
    fn work_is_counted() {
        let own = std::process::id();
        let before = processor_time(own).unwrap();
        std::thread::scope(|threads| {
            for _ in 0..8 {
                threads.spawn(|| assert_ne!((0..5_000_000_u64).fold(0, |sum, n| std::hint::black_box(sum ^ n)), 1));
            }
            for _ in 0..100 {
                assert!(processor_time(own).unwrap() >= before);
            }
        });
        assert!(processor_time(own).unwrap() > before + Duration::from_millis(1));
        assert!(peak_memory(own).unwrap() > 1024 * 1024);
    }

    #[test]
    fn a_process_that_has_ended_is_told() {
        let mut ended = std::process::Command::new("true").spawn().unwrap();
        ended.wait().unwrap();
        assert!(processor_time(ended.id()).is_err());
        assert!(peak_memory(ended.id()).is_err());
        assert!(processor_time(u32::MAX).is_err());
    }
}
