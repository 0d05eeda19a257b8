//! The ranks of an experiment, if several processes train together.

use crate::base::ranks::Collective;
use crate::error::{Error, Result};
use std::fmt;
use std::sync::Arc;

/// The connection with the other ranks; none of a training that is alone.
#[derive(Clone, Default)]
pub struct Ranks(pub Option<Arc<dyn Collective>>);

impl Ranks {
    /// True of the rank that writes and tells: the first, or the only one.
    pub fn leads(&self) -> bool {
        self.0.as_ref().is_none_or(|ranks| ranks.rank() == 0)
    }

    /// Waits until all ranks are here.
    pub fn meet(&self) -> Result<()> {
        self.0.as_ref().map_or(Ok(()), |ranks| ranks.barrier())
    }

    /// Tells the others of an error that ends this rank alone.
    pub fn fail<T>(&self, done: &Result<T>) {
        if let (Some(ranks), Err(error)) = (&self.0, done) {
            ranks.fail(&error.to_string());
        }
    }

    /// Refuses what several ranks cannot do yet.
    pub fn refuse(&self, what: &str) -> Result<()> {
        match &self.0 {
            Some(ranks) if ranks.ranks() > 1 => {
                let found = format!("{what} on {} ranks", ranks.ranks());
                Err(Error::invalid(
                    "",
                    found,
                    "one rank: only a training is shared out so far",
                ))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Ranks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(ranks) => write!(f, "rank {} of {}", ranks.rank(), ranks.ranks()),
            None => f.write_str("alone"),
        }
    }
}
