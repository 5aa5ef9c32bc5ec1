//! What the kernel says of a process: processor time and peak memory.

use anyhow::{Context, Result};
use std::time::Duration;

/// Processor time of a process so far, user and system, over all of its threads that live.
///
/// Source: the first number of `/proc/<pid>/task/<tid>/schedstat`, nanoseconds spent on the CPU (kernel documentation,
/// "sched-stats"). `/proc/<pid>/stat` has ticks of 10 ms, too coarse for a batch. A thread that ended counts no longer;
/// the functions run on one.
///
/// # Errors
/// Where there is no such process, or the kernel keeps no such figures.
pub(crate) fn processor_time(pid: u32) -> Result<Duration> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).context("the function's process is gone")?;
    let mut sum = Duration::ZERO;
    for task in tasks {
        let path = task?.path().join("schedstat");
        let text = std::fs::read_to_string(&path).context("the kernel keeps no schedstat figures")?;
        sum += on_cpu(&text).context("schedstat has another shape")?;
    }
    Ok(sum)
}

/// The largest resident memory of a process so far, in bytes. Source: `VmHWM` of `/proc/<pid>/status` (proc(5)).
///
/// # Errors
/// Where there is no such process.
pub(crate) fn peak_memory(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).context("the function's process is gone")?;
    high_water(&status).context("status has no VmHWM")
}

fn on_cpu(schedstat: &str) -> Option<Duration> {
    schedstat.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
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
        assert_eq!(on_cpu("295361742 176382440 57\n"), Some(Duration::from_nanos(295_361_742)));
        assert_eq!(on_cpu(""), None);
        assert_eq!(high_water("VmSize:\t   16588 kB\nVmHWM:\t   13576 kB\nVmRSS:\t 1 kB\n"), Some(13_576 * 1024));
        assert_eq!(high_water("VmRSS:\t 1 kB\n"), None);
    }

    /// A process that works is seen working, and one that sleeps is not.
    #[test]
    fn work_is_counted() {
        let own = std::process::id();
        let before = processor_time(own).unwrap();
        let busy: u64 = (0..20_000_000_u64).fold(0, |sum, n| std::hint::black_box(sum ^ n));
        assert_ne!(busy, 1);
        assert!(processor_time(own).unwrap() > before + Duration::from_millis(1));
        assert!(peak_memory(own).unwrap() > 1024 * 1024);
    }
}
