//! How long a thread has worked: other than the clock, this does not depend on what else the
//! machine does.

use std::time::Duration;

/// Ticks of the kernel's accounting in a second (`USER_HZ`: the same on all platforms of Linux
/// that Rollcall is built for).
const TICKS: u32 = 100;

/// Time that this thread has spent on a processor, to a hundredth of a second; zero where the
/// kernel does not tell.
pub fn time_of_this_thread() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap_or_default();
    // The name of the program stands in parentheses and may hold anything.
    let fields = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    let mut times =
        fields.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u32>().ok());
    let (user, system) = (times.next().unwrap_or_default(), times.next().unwrap_or_default());
    Duration::from_secs(1) / TICKS * (user + system)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hint::black_box;

    #[test]
    fn work_counts_and_sleep_does_not() {
        let begun = time_of_this_thread();
        std::thread::sleep(Duration::from_millis(50));
        let slept = time_of_this_thread() - begun;
        assert!(slept < Duration::from_millis(50), "{slept:?}");
        let mut n = 0_u64;
        while time_of_this_thread() - begun < Duration::from_millis(60) {
            n = black_box(n.wrapping_add(1));
        }
        assert!(n > 0);
    }
}
