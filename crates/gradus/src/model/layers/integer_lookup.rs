use super::adaptation::{Adaptation, Adapts, InputCheck, Seen, not_asked_for};
use super::encoding::{MOST_PLACES, OutputMode};
use super::lookup::{Known, Table, is_long};
use super::{Call, KerasTraits, LayerFormula, LayerTraits};
use crate::base::hash::Salt;
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::model::dtype::Dtype;
use crate::model::weights::Weight;
use crate::plan::lower::{Lowering, Value};
use crate::rules::mapping::Mapping;
use crate::rules::places::{Buckets, Places, Unknown};
use serde::{Deserialize, Serialize};

/// Maps whole numbers to indices by a vocabulary: `keras.layers.IntegerLookup`.
///
/// Like [`StringLookup`](super::StringLookup), for numbers: they are truncated, and NaN is an
/// unknown number. They are exact up to 2²⁴; a vocabulary with larger ones is refused.
///
/// ```
/// use gradus::prelude::*;
/// use gradus::layers::IntegerLookup;
/// let layers = Sequential::new().input([1]).add(IntegerLookup::new().num_oov_indices(2));
/// let mut model = layers.build()?;
/// let x = Dataset::unlabelled(Tensor::from_column(vec![70.0, 40.0, 70.0])?);
/// model.adapt(&x)?;
/// assert_eq!(model.predict(&x)?.to_f32(), [2.0, 3.0, 2.0]);
/// let other = Dataset::unlabelled(Tensor::from_column(vec![8.0, 9.0])?);
/// assert_eq!(model.predict(&other)?.to_f32(), [0.0, 1.0]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct IntegerLookup {
    /// Size limit of a learned vocabulary, including the indices of mask and unknown numbers.
    /// Default no limit.
    #[schemars(extend("examples" = [1000]))]
    pub max_tokens: Option<usize>,
    /// Number of places that unknown numbers share; with none they are an error where the
    /// layer is applied to an input, and elsewhere become NaN. Default 1.
    pub num_oov_indices: usize,
    /// Number that means missing: index 0 with `int`, and no 1 in the other encodings. Default
    /// none.
    #[schemars(extend("examples" = [0]))]
    pub mask_token: Option<i64>,
    /// Number that is never learned, since it stands for unknown ones. Default -1.
    pub oov_token: Option<i64>,
    /// Known numbers, with or without those of mask and unknown ones in front. Default none: they
    /// are learned.
    #[schemars(with = "Known<i64>")]
    #[schemars(extend("examples" = [[1, 2, 3]]))]
    pub vocabulary: Option<Vec<i64>>,
    /// Form in which places are given. Default whole numbers.
    pub output_mode: OutputMode,
    /// True if rows of zeros and ones are of length `max_tokens` however few numbers
    /// are known. Default no.
    pub pad_to_max_tokens: bool,
    /// Method by which unknown numbers share several places. Default `floormod`.
    pub oov_method: OovMethod,
    /// Salt of the hash, for `farmhash`: SipHash64 under these two
    /// numbers. Default none.
    #[schemars(extend("examples" = [7]))]
    pub salt: Option<Salt>,
    /// True if the vocabulary was learned from data and is a text of its own in files,
    /// not among the arguments. Default no.
    #[serde(skip)]
    pub learned: bool,
}

/// Method by which unknown numbers share places.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum OovMethod {
    /// By the remainder of a division.
    #[default]
    FloorMod,
    /// By the hash of their digits.
    FarmHash,
}

impl Default for IntegerLookup {
    fn default() -> Self {
        IntegerLookup {
            max_tokens: None,
            num_oov_indices: 1,
            mask_token: None,
            oov_token: Some(-1),
            vocabulary: None,
            output_mode: OutputMode::Int,
            pad_to_max_tokens: false,
            oov_method: OovMethod::FloorMod,
            salt: None,
            learned: false,
        }
    }
}

impl IntegerLookup {
    /// To learn its vocabulary.
    pub fn new() -> Self {
        Self::default()
    }

    fn table(&self) -> Table<'_, i64> {
        Table {
            max_tokens: self.max_tokens,
            num_oov_indices: self.num_oov_indices,
            mask_token: self.mask_token.as_ref(),
            oov_token: self.oov_token.as_ref(),
            vocabulary: self.vocabulary.as_deref(),
            output_mode: self.output_mode,
            pad_to_max_tokens: self.pad_to_max_tokens,
        }
    }

    /// Place of each number.
    fn places(&self) -> Result<Places> {
        let table = self.table();
        let known = table.place_of_each()?.into_iter();
        let known = known.map(|(&number, place)| (number, place as f32));
        let mask = self.mask_token.map(|mask| (mask, table.mask_place()));
        let (first, count) = (table.oov_start(), self.num_oov_indices);
        let unknown = match (count, self.oov_method) {
            (0, _) => Unknown::At(f32::NAN),
            (1, _) => Unknown::At(first as f32),
            (_, OovMethod::FloorMod) => Unknown::Remainder { first, count },
            (_, OovMethod::FarmHash) => Unknown::Hashed {
                first,
                into: Buckets {
                    count,
                    salt: self.salt,
                    mask: None,
                },
            },
        };
        Ok(Places::new(known.chain(mask), unknown))
    }
}

setters!(IntegerLookup {
    /// Sets the known numbers.
    vocabulary(some into Vec<i64>);
    /// Sets the encoding of the indices.
    output_mode(OutputMode);
    /// Sets the size limit of a learned vocabulary.
    max_tokens(some usize);
    /// Sets the number of indices shared by unknown numbers.
    num_oov_indices(usize);
    /// Sets the number that means missing.
    mask_token(some i64);
    /// Sets the distribution of unknown numbers over several indices.
    oov_method(OovMethod);
});

impl Rule for IntegerLookup {
    fn check(&self) -> Result<()> {
        if self.salt.is_some() && self.oov_method != OovMethod::FarmHash {
            let expected = "none, since oov_method is not farmhash";
            return Err(Error::invalid("salt", "two numbers", expected));
        }
        let mut all = self.vocabulary.iter().flatten().chain(&self.mask_token);
        if let Some(large) = all.find(|n| n.unsigned_abs() > MOST_PLACES as u64) {
            let expected = "whole numbers between -2^24 and 2^24, which alone are exact here; \
                            a StringLookup takes others as texts";
            return Err(Error::invalid("vocabulary", large, expected));
        }
        self.table().check()
    }
}

impl LayerFormula for IntegerLookup {
    const KERAS: KerasTraits = KerasTraits::LAYER.not_compiled();

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        self.table().shape(&inputs[0])
    }

    fn traits(&self) -> LayerTraits {
        self.table().traits()
    }

    fn dtype(&self, _: &[Dtype]) -> Dtype {
        self.output_mode.dtype(Dtype::Int64)
    }

    fn input_check(&self) -> Result<Option<InputCheck>> {
        if self.num_oov_indices > 0 {
            return Ok(None);
        }
        let places = self.places()?;
        Ok(Some(InputCheck {
            fits: Box::new(move |x| !places.of(x).is_nan()),
            expected: "one that is known: num_oov_indices is 0",
        }))
    }

    fn adaptation(&self, _: &[Weight]) -> Option<Adaptation> {
        self.vocabulary.is_none().then_some(Adaptation {
            to: Adapts::Integers,
            done: false,
        })
    }

    fn adapt(&mut self, _: &mut Vec<Weight>, seen: Seen) -> Result<()> {
        let Seen::Integers(counts) = seen else {
            return Err(not_asked_for(&seen));
        };
        self.vocabulary = Some(self.table().learned(counts.into_iter().collect())?);
        self.learned = self.table().text().is_some();
        self.check()
    }

    fn vocabulary_text(&self) -> Option<String> {
        let count = self.vocabulary.as_ref().map_or(0, Vec::len);
        let apart = self.learned || self.vocabulary.is_none() || is_long(4 * count);
        self.table().text().filter(|_| apart)
    }

    fn take_vocabulary(&mut self, text: &str) -> Result<()> {
        if self.vocabulary.is_none() {
            self.vocabulary = self.table().read(text, |line| line.trim().parse().ok())?;
            self.learned = self.vocabulary.is_some();
            self.check()?;
        }
        Ok(())
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let Ok(places) = self.places() else {
            unreachable!("a layer that is not ready is not lowered");
        };
        let x = plan.map(&call.inputs[0], Mapping::Place(places.into()));
        let count = self.table().places().unwrap_or_default();
        self.output_mode.lower(plan, &x, count)
    }
}
