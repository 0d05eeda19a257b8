//! Processes connected by MPI.

use gradus::Result;
use gradus::ranks::{Collective, Mpi, launched, launcher as launcher_of};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The connection, while there is one.
static CONNECTED: Mutex<Option<Arc<Mpi>>> = Mutex::new(None);

/// The time that a rank leaves the first one to say what ends both.
const AFTER_THE_FIRST: Duration = Duration::from_millis(1500);

fn connected() -> Option<Arc<Mpi>> {
    let connected = CONNECTED.lock().unwrap_or_else(PoisonError::into_inner);
    connected.clone()
}

/// The connection with the processes that were started together with this one, if there are any. Shares
/// their processors' cores out among those of one machine, unless the number of threads is given.
pub fn connect(threads_given: bool) -> Result<Option<Arc<dyn Collective>>> {
    if launched().is_none() {
        return Ok(None);
    }
    let mpi = Arc::new(Mpi::start()?);
    *CONNECTED.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&mpi));
    let threads = mpi.threads()?;
    if !threads_given {
        gradus::set_threads(threads);
    }
    Ok(Some(mpi))
}

/// The launcher's words before a command that goes on with a run, if there are several processes.
pub fn launcher() -> Option<String> {
    connected().map(|mpi| launcher_of(mpi.ranks()))
}

/// The name of this process in messages, empty of the first: others wait until that one has had time for
/// its message, which ends them too.
pub fn name() -> String {
    match connected() {
        Some(mpi) if mpi.rank() > 0 => {
            std::thread::sleep(AFTER_THE_FIRST);
            format!("rank {}: ", mpi.rank())
        }
        _ => String::new(),
    }
}

/// Ends the program with that exit code: if it is an error's, all processes.
pub fn end(code: u8) -> u8 {
    if let (Some(mpi), 1..) = (connected(), code) {
        mpi.abort(code);
    }
    // Waits for the others.
    let mut connected = CONNECTED.lock().unwrap_or_else(PoisonError::into_inner);
    drop(connected.take());
    code
}
