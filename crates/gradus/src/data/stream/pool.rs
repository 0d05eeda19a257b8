//! Buffers of used windows, recycled for later ones: fresh memory from the system would cost as
//! much as reading.

use crate::data::tensor::{Buffer, Tensor};
use crate::error::{Error, Result};

/// Recycled vectors.
#[derive(Debug, Default)]
pub(super) struct Pool {
    bytes: Vec<Vec<u8>>,
    floats: Vec<Vec<f32>>,
    doubles: Vec<Vec<f64>>,
}

impl Pool {
    /// Takes a tensor's memory, if no other tensor shares it.
    pub fn give(&mut self, tensor: Tensor) {
        match tensor.into_numbers() {
            Some(Buffer::U8(values)) => self.bytes.push(values),
            Some(Buffer::F32(values)) => self.floats.push(values),
            Some(Buffer::F64(values)) => self.doubles.push(values),
            None => {}
        }
    }

    /// An empty vector of bytes with this capacity.
    pub fn bytes(&mut self, room: usize) -> Result<Vec<u8>> {
        take(&mut self.bytes, room)
    }

    /// An empty vector of `f32` with this capacity.
    pub fn floats(&mut self, room: usize) -> Result<Vec<f32>> {
        take(&mut self.floats, room)
    }

    /// An empty vector of `f64` with this capacity.
    pub fn doubles(&mut self, room: usize) -> Result<Vec<f64>> {
        take(&mut self.doubles, room)
    }

    /// Frees all unused vectors.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.floats.clear();
        self.doubles.clear();
    }
}

/// The smallest vector with enough capacity, else a new one.
fn take<T>(spare: &mut Vec<Vec<T>>, room: usize) -> Result<Vec<T>> {
    let fitting = spare
        .iter()
        .enumerate()
        .filter(|(_, v)| v.capacity() >= room);
    if let Some((place, _)) = fitting.min_by_key(|(_, v)| v.capacity()) {
        let mut taken = spare.swap_remove(place);
        taken.clear();
        return Ok(taken);
    }
    let mut new = Vec::new();
    match new.try_reserve_exact(room) {
        Ok(()) => Ok(new),
        Err(_) => {
            let found = format!("no room for {room} numbers of a window");
            Err(Error::invalid("memory", found, "less than the machine has"))
        }
    }
}
