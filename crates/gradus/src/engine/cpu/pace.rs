//! Whether the threads are worth waiting for.
//!
//! Threads that meet after every phase are fast as long as each has a core. On
//! a machine that is busy with other things, one of them is always not running,
//! and a step takes as many of the system's time slices as it has phases. Then
//! one thread alone is faster, and gives the same numbers.

use std::time::Duration;

/// Slow steps in a row before one thread is tried alone, and the steps that it
/// is tried for.
const TRIAL: u32 = 8;

/// The fewest and the most steps before the threads are tried again.
const HOLD: (u32, u32) = (64, 1024);

/// What a step has to stay below not to count as slow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// What one thread should need at most.
    expected: Duration,
    state: State,
    hold: u32,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// All threads; so many slow steps in a row, and how long they took.
    Together(u32, Duration),
    /// One thread on trial, against this time of all threads.
    Trial {
        left: u32,
        taken: Duration,
        together: Duration,
    },
    /// One thread, for so many steps more.
    Alone(u32),
}

impl Pace {
    /// For a step of so many multiply-adds.
    pub fn new(work: usize) -> Self {
        // A core does some 20 in a nanosecond; below 100 µs everything is noise.
        let expected = Duration::from_nanos(work as u64 / 20) + Duration::from_micros(100);
        Pace {
            expected,
            state: State::Together(0, Duration::ZERO),
            hold: HOLD.0,
        }
    }

    /// Whether the next step is for one thread.
    pub fn alone(&self) -> bool {
        !matches!(self.state, State::Together(..))
    }

    /// A step has taken so long.
    pub fn took(&mut self, time: Duration) {
        self.state = match self.state {
            State::Together(..) if time < 2 * self.expected => State::Together(0, Duration::ZERO),
            State::Together(slow, taken) if slow + 1 < TRIAL => {
                State::Together(slow + 1, taken + time)
            }
            State::Together(_, taken) => {
                let together = taken + time;
                State::Trial {
                    left: TRIAL,
                    taken: Duration::ZERO,
                    together,
                }
            }
            State::Trial {
                left,
                taken,
                together,
            } if left > 1 => State::Trial {
                left: left - 1,
                taken: taken + time,
                together,
            },
            State::Trial {
                taken, together, ..
            } => {
                if taken + time < together {
                    let hold = self.hold;
                    self.hold = (2 * hold).min(HOLD.1);
                    State::Alone(hold)
                } else {
                    // The processor is slower than expected, not busy.
                    self.expected = self.expected.max(together / TRIAL);
                    State::Together(0, Duration::ZERO)
                }
            }
            State::Alone(left) if left > 1 => State::Alone(left - 1),
            State::Alone(_) => State::Together(0, Duration::ZERO),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(pace: &mut Pace, steps: u32, together: u64, alone: u64) -> u32 {
        let mut count = 0;
        for _ in 0..steps {
            let micros = if pace.alone() { alone } else { together };
            count += u32::from(pace.alone());
            pace.took(Duration::from_micros(micros));
        }
        count
    }

    #[test]
    fn a_quiet_machine_uses_all_threads() {
        let mut pace = Pace::new(10_000_000);
        assert_eq!(after(&mut pace, 1000, 400, 700), 0);
    }

    #[test]
    fn a_busy_machine_uses_one_thread_most_of_the_time() {
        let mut pace = Pace::new(10_000_000);
        assert!(after(&mut pace, 10_000, 9_000, 1_400) > 9_500);
    }

    #[test]
    fn a_slow_machine_goes_back_to_all_threads_for_good() {
        let mut pace = Pace::new(10_000_000);
        assert!(after(&mut pace, 10_000, 5_000, 9_000) <= TRIAL);
    }

    #[test]
    fn all_threads_come_back_when_the_machine_is_quiet_again() {
        let mut pace = Pace::new(10_000_000);
        after(&mut pace, 5_000, 9_000, 1_400);
        after(&mut pace, HOLD.1, 400, 700);
        assert_eq!(after(&mut pace, 1000, 400, 700), 0);
    }
}
