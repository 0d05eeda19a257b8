//! INT, TERM and HUP: a training ends behind its step, with a checkpoint; a server finishes what it
//! has begun; all else ends at once.

use crate::output::{clear_line, message};
use gradus::{Error, Result};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};

/// The number of the first signal; 0 before.
static CAUGHT: AtomicU8 = AtomicU8::new(0);
/// True while a training looks for signals between its steps.
static LOOKS: AtomicBool = AtomicBool::new(false);
/// True of a rank that the first one ends.
static LED: AtomicBool = AtomicBool::new(false);
/// The end of a server, which the first signal asks for.
static ON_FIRST: Mutex<Option<Box<dyn Fn() + Send>>> = Mutex::new(None);
/// The command that goes on with the run, once there is one.
static COMMAND: Mutex<Option<String>> = Mutex::new(None);

/// Watches for signals, from now on. One that is ignored (under `nohup`, in the background of a
/// script) stays so.
#[cfg(unix)]
pub fn watch() {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let ignored = ignored();
    let heeded = [SIGHUP, SIGINT, SIGTERM].into_iter();
    let heeded = heeded.filter(|signal| ignored & (1 << (signal - 1)) == 0);
    // Without a thread, signals end the program as they do by default.
    let Ok(mut signals) = signal_hook::iterator::Signals::new(heeded) else {
        return;
    };
    let wait = move || signals.forever().for_each(|signal| come(signal as u8));
    let _ = std::thread::Builder::new()
        .name("signals".into())
        .spawn(wait);
}

/// Signals are left as they are.
#[cfg(not(unix))]
pub fn watch() {}

/// The signals that are ignored, a bit each; none where the system does not say.
#[cfg(unix)]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

/// A signal has come: the first one is left to the training, if there is one that looks for it.
#[cfg(unix)]
fn come(signal: u8) {
    if LED.load(Ordering::SeqCst) {
        return;
    }
    let first = CAUGHT.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst);
    if first.is_ok() && LOOKS.load(Ordering::SeqCst) {
        clear_line();
        return message(
            "the training ends after this step, with a checkpoint; a second signal ends it at once",
        );
    }
    let asked = ON_FIRST.lock().unwrap_or_else(PoisonError::into_inner);
    if let (Ok(_), Some(end)) = (first, &*asked) {
        clear_line();
        return end();
    }
    quit();
}

/// Calls `end` with the first signal, in place of an end at once; the second one still does that.
#[cfg_attr(not(feature = "serve"), allow(dead_code))]
pub fn on_first(end: impl Fn() + Send + 'static) {
    *ON_FIRST.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(end));
}

/// A run begins, or a part of it, which `command` goes on with: it looks for signals.
pub fn begin(command: String) {
    *COMMAND.lock().unwrap_or_else(PoisonError::into_inner) = Some(command);
    LOOKS.store(true, Ordering::SeqCst);
}

/// Leaves signals to the first rank, whose end is that of all.
pub fn leave_to_first() {
    LED.store(true, Ordering::SeqCst);
}

/// No step follows: signals are no longer looked for.
pub fn end() {
    LOOKS.store(false, Ordering::SeqCst);
    // One may have come since the last look.
    if CAUGHT.load(Ordering::SeqCst) != 0 {
        quit();
    }
}

/// An error if a signal has come.
pub fn look() -> Result<()> {
    match LOOKS.load(Ordering::SeqCst) && CAUGHT.load(Ordering::SeqCst) != 0 {
        true => Err(Error::Interrupted),
        false => Ok(()),
    }
}

/// Says how to go on, and returns the exit code of the signal.
pub fn farewell() -> u8 {
    say_how_to_go_on();
    code()
}

/// Ends the program at once.
fn quit() -> ! {
    clear_line();
    say_how_to_go_on();
    std::process::exit(code().into());
}

/// A shell's code of a program that the signal has ended.
fn code() -> u8 {
    128_u8.saturating_add(CAUGHT.load(Ordering::SeqCst))
}

fn say_how_to_go_on() {
    let mut command = COMMAND.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(command) = command.take() {
        message(&format!("interrupted; go on with\n  {command}"));
    }
}
