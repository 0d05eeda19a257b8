//! The choice between all threads and one, by trial.
//!
//! Threads that meet after every phase are fast as long as each has a core and
//! the phases are long enough. On a machine that is busy with other things one
//! of them is always not running, and a step takes as many of the system's time
//! slices as it has phases; and small layers take longer to hand over than to
//! compute. One thread alone gives the same numbers. So now and then the other
//! way is tried for a few steps, and the faster one kept.

use std::time::Duration;

/// Steps by which a mode is judged.
const TRIAL: usize = 8;

/// Fewest and most steps between two trials.
const HOLD: (u32, u32) = (64, 4096);

/// Durations of the steps by which a mode was last judged.
type Times = [Duration; TRIAL];

/// The way that steps are taken now, and its times.
#[derive(Clone, Copy, Debug)]
pub(super) struct ThreadTuner {
    alone: bool,
    /// Steps in this mode since it was chosen or confirmed.
    steps: u32,
    /// Steps until the other mode is tried.
    hold: u32,
    /// Last steps in this mode.
    last: Times,
    /// During a trial, the steps of the other mode before it.
    rival: Option<Duration>,
    /// The time of a step this way when it was chosen.
    usual: Option<Duration>,
}

impl ThreadTuner {
    /// Starts with all threads.
    pub fn new() -> Self {
        ThreadTuner {
            alone: false,
            steps: 0,
            hold: HOLD.0,
            last: [Duration::ZERO; TRIAL],
            rival: None,
            usual: None,
        }
    }

    /// True if the next step is for one thread.
    pub fn alone(&self) -> bool {
        self.alone
    }

    /// Records the duration of a step.
    pub fn took(&mut self, time: Duration) {
        self.last[self.steps as usize % TRIAL] = time;
        self.steps += 1;
        if !(self.steps as usize).is_multiple_of(TRIAL) {
            return;
        }
        let now = self.typical();
        match self.rival {
            Some(rival) if now < rival => self.keep(now, HOLD.0),
            Some(rival) => {
                // Back to the previous mode, for longer than the last time.
                self.alone = !self.alone;
                self.keep(rival, (2 * self.hold).min(HOLD.1));
            }
            None => {
                let slow = self.usual.is_some_and(|usual| now > 2 * usual);
                if slow {
                    self.hold = HOLD.0;
                }
                if slow || self.steps >= self.hold {
                    self.alone = !self.alone;
                    self.steps = 0;
                    self.rival = Some(now);
                }
            }
        }
    }

    fn keep(&mut self, usual: Duration, hold: u32) {
        self.steps = 0;
        self.hold = hold;
        self.rival = None;
        self.usual = Some(usual);
    }

    /// The median of the last steps, since a single one may have been interrupted.
    fn typical(&self) -> Duration {
        let mut times = self.last;
        times.sort_unstable();
        times[TRIAL / 2]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(tuner: &mut ThreadTuner, steps: u32, together: u64, alone: u64) -> u32 {
        let mut count = 0;
        for _ in 0..steps {
            let micros = if tuner.alone() { alone } else { together };
            count += u32::from(tuner.alone());
            tuner.took(Duration::from_micros(micros));
        }
        count
    }

    #[test]
    fn a_quiet_machine_uses_all_threads() {
        assert!(after(&mut ThreadTuner::new(), 100_000, 400, 700) < 400);
    }

    #[test]
    fn a_busy_machine_and_small_layers_use_one_thread_most_of_the_time() {
        assert!(after(&mut ThreadTuner::new(), 10_000, 9_000, 1_400) > 9_500);
        assert!(after(&mut ThreadTuner::new(), 10_000, 110, 100) > 9_500);
    }

    #[test]
    fn what_changes_is_noticed_soon() {
        let mut tuner = ThreadTuner::new();
        after(&mut tuner, 10_000, 400, 700);
        // Another process takes a core for a while.
        assert!(after(&mut tuner, 1000, 9_000, 700) > 900);
        after(&mut tuner, HOLD.1, 400, 700);
        assert!(after(&mut tuner, 10_000, 400, 700) < 200);
    }
}
