//! Fingerprints of rows, by which a resumed training notices that its data has changed.

use crate::base::digest::Digest;
use crate::data::dataset::Dataset;
use crate::data::stream::{Data, Stream};
use crate::data::tensor::{Tensor, Values};
use crate::error::Result;

/// The fingerprint of one tensor of some rows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fingerprint {
    /// The use of the tensor: `input age`, `target`, `weight`.
    pub name: String,
    /// The name of the tensor in messages, mostly its file's.
    pub source: String,
    /// The digest of shape, type and values.
    pub digest: String,
}

/// The number of tensors from which on they have one fingerprint.
const MANY: usize = 64;

/// The blocks of a stream that are looked at, spread evenly, and the rows of each.
const BLOCKS: usize = 32;
const BLOCK: usize = 8;

impl Data {
    /// The fingerprints of all rows in memory; of a stream those of its number of rows and of
    /// some of them; none of a generator's.
    pub(crate) fn fingerprints(&self) -> Result<Vec<Fingerprint>> {
        let mut all = Digests::of(self.sample());
        match self {
            Data::Memory(data) => all.add(data),
            Data::Stream(stream) => all.add_some(stream)?,
            Data::Generator(_) => return Ok(Vec::new()),
        }
        Ok(all.finish())
    }
}

/// The digests of the tensors of some rows.
struct Digests(Vec<(String, String, Digest)>);

impl Digests {
    /// The digests of nothing yet, for rows like these.
    fn of(sample: &Dataset) -> Self {
        let mut all = Vec::new();
        let parts = [
            ("input", sample.inputs(), sample.input_names()),
            ("target", sample.targets(), sample.target_names()),
            (
                "weight",
                sample.sample_weight().map_or(&[][..], std::slice::from_ref),
                &[],
            ),
        ];
        for (kind, tensors, names) in parts {
            for (n, tensor) in tensors.iter().enumerate() {
                let name = match (names.get(n), tensors) {
                    _ if tensors.len() >= MANY => format!("{kind}s"),
                    (Some(name), _) => format!("{kind} {name}"),
                    (None, [_]) => kind.to_owned(),
                    (None, _) => format!("{kind} {}", n + 1),
                };
                all.push((name, tensor.name().to_owned(), Digest::new()));
            }
        }
        Digests(all)
    }

    fn add(&mut self, data: &Dataset) {
        for ((.., digest), tensor) in self.0.iter_mut().zip(data.tensors()) {
            add(digest, tensor);
        }
    }

    fn add_some(&mut self, stream: &Stream) -> Result<()> {
        let rows = stream.rows();
        for (.., digest) in &mut self.0 {
            digest.add(&(rows as u64).to_le_bytes());
        }
        let last = rows.saturating_sub(BLOCK);
        let mut before = None;
        for block in 0..BLOCKS {
            let start = (last as u64 * block as u64 / (BLOCKS as u64 - 1)) as usize;
            if before.replace(start) != Some(start) {
                self.add(&stream.some(start..rows.min(start + BLOCK))?);
            }
        }
        Ok(())
    }

    /// The fingerprints, those of one name together.
    fn finish(self) -> Vec<Fingerprint> {
        let mut all: Vec<Fingerprint> = Vec::new();
        for (name, source, digest) in self.0 {
            let digest = digest.finish();
            match all.last_mut().filter(|last| last.name == name) {
                Some(last) => last.digest = Digest::of((last.digest.clone() + &digest).as_bytes()),
                None => all.push(Fingerprint {
                    name,
                    source,
                    digest,
                }),
            }
        }
        all
    }
}

fn add(digest: &mut Digest, tensor: &Tensor) {
    let kind = |kind: &str| format!("{kind} {} {}\n", tensor.rows(), tensor.shape());
    match tensor.values() {
        Values::U8(values) => {
            digest.add(kind("bytes").as_bytes());
            digest.add(values);
        }
        Values::F32(values) => {
            digest.add(kind("f32").as_bytes());
            add_all(digest, values, |x| x.to_le_bytes());
        }
        Values::F64(values) => {
            digest.add(kind("f64").as_bytes());
            add_all(digest, values, |x| x.to_le_bytes());
        }
        Values::Text { names, codes } => {
            digest.add(kind("texts").as_bytes());
            for name in names {
                digest.add(&(name.len() as u64).to_le_bytes());
                digest.add(name.as_bytes());
            }
            add_all(digest, codes, |x| x.to_le_bytes());
        }
    }
}

/// Adds the bytes of numbers, some thousand at a time.
fn add_all<T: Copy, const N: usize>(
    digest: &mut Digest,
    values: &[T],
    bytes: impl Fn(T) -> [u8; N],
) {
    const SOME: usize = 1 << 12;
    let mut buffer = vec![0; SOME * N];
    for some in values.chunks(SOME) {
        let places = buffer.chunks_exact_mut(N);
        for (place, &value) in places.zip(some) {
            place.copy_from_slice(&bytes(value));
        }
        digest.add(&buffer[..some.len() * N]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rows: &[[f32; 2]], labels: Vec<f32>) -> Vec<Fingerprint> {
        let x = Tensor::from_rows(rows).unwrap().named("x.npy");
        let y = Tensor::from_column(labels).unwrap();
        Data::from(Dataset::new(x, y).unwrap())
            .fingerprints()
            .unwrap()
    }

    #[test]
    fn the_tensor_that_has_changed_is_named() {
        let before = of(&[[1.0, 2.0], [3.0, 4.0]], vec![0.0, 1.0]);
        assert_eq!(before, of(&[[1.0, 2.0], [3.0, 4.0]], vec![0.0, 1.0]));
        assert_eq!((&*before[0].name, &*before[0].source), ("input", "x.npy"));
        let after = of(&[[1.0, 2.0], [3.0, 4.0]], vec![0.0, 2.0]);
        assert_eq!(before[0], after[0]);
        assert_ne!(before[1], after[1]);
        let after = of(
            &[[1.0, 2.0], [3.0, f32::from_bits(4.0_f32.to_bits() + 1)]],
            vec![0.0, 1.0],
        );
        assert_ne!(before[0], after[0]);
        // The same numbers in other rows.
        let x = Tensor::from_f32([4], vec![1.0, 2.0, 3.0, 4.0]).unwrap();
        let after = Data::from(Dataset::unlabelled(x)).fingerprints().unwrap();
        assert_ne!(before[0].digest, after[0].digest);
    }
}
