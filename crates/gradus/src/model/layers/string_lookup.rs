use super::adaptation::{Adaptation, Adapts, Seen, not_asked_for};
use super::encoding::OutputMode;
use super::lookup::{Known, Table, is_long};
use super::{Call, KerasTraits, LayerFormula, LayerTraits};
use crate::base::hash::{Salt, bucket};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::model::dtype::Dtype;
use crate::model::weights::Weight;
use crate::plan::lower::{Lowering, Value};
use serde::{Deserialize, Serialize};

/// Maps texts to indices by a vocabulary: `keras.layers.StringLookup`. It is applied to a text
/// input.
///
/// The first indices are the mask's (only with `int`, and only with a `mask_token`), then those of
/// unknown texts; then the vocabulary's. It is given, or learned from data: by
/// [`Model::adapt`](crate::Model::adapt), or from the training rows as the first `fit` begins, the
/// most frequent text first. An existing vocabulary stays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct StringLookup {
    /// Size limit of a learned vocabulary, including the indices of mask and unknown texts. Default
    /// no limit.
    #[schemars(extend("examples" = [1000]))]
    pub max_tokens: Option<usize>,
    /// Number of places that unknown texts share, by their hash; with none they are an
    /// error. Default 1.
    pub num_oov_indices: usize,
    /// Text that means missing: index 0 with `int`, and no 1 in the other encodings. Default none.
    #[schemars(extend("examples" = [""]))]
    pub mask_token: Option<String>,
    /// Text that is never learned, since it stands for unknown ones. Default `[UNK]`.
    pub oov_token: Option<String>,
    /// Known texts, with or without those of mask and unknown ones in front. Default none: they are
    /// learned.
    #[schemars(with = "Known<String>")]
    #[schemars(extend("examples" = [["red", "green"]]))]
    pub vocabulary: Option<Vec<String>>,
    /// Form in which places are given. Default whole numbers.
    pub output_mode: OutputMode,
    /// True if rows of zeros and ones are of length `max_tokens` however few texts
    /// are known. Default no.
    pub pad_to_max_tokens: bool,
    /// Encoding of bytes in Keras; only `utf-8`.
    pub encoding: String,
    /// Salt of the hash of unknown texts: SipHash64 under these two
    /// numbers, else FarmHash64. Default none.
    #[schemars(extend("examples" = [7]))]
    pub salt: Option<Salt>,
    /// True if the vocabulary was learned from data and is a text of its own in files,
    /// not among the arguments. Default no.
    #[serde(skip)]
    pub learned: bool,
}

impl Default for StringLookup {
    fn default() -> Self {
        StringLookup {
            max_tokens: None,
            num_oov_indices: 1,
            mask_token: None,
            oov_token: Some("[UNK]".into()),
            vocabulary: None,
            output_mode: OutputMode::Int,
            pad_to_max_tokens: false,
            encoding: "utf-8".into(),
            salt: None,
            learned: false,
        }
    }
}

impl StringLookup {
    /// To learn its vocabulary.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the known texts.
    pub fn vocabulary<T: Into<String>>(mut self, texts: impl IntoIterator<Item = T>) -> Self {
        self.vocabulary = Some(texts.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the salt of the hash of unknown texts.
    pub fn salt(mut self, first: i64, second: i64) -> Self {
        self.salt = Some(Salt(first, second));
        self
    }

    fn table(&self) -> Table<'_, String> {
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
}

setters!(StringLookup {
    /// Sets the encoding of the indices.
    output_mode(OutputMode);
    /// Sets the size limit of a learned vocabulary.
    max_tokens(some usize);
    /// Sets the number of indices shared by unknown texts.
    num_oov_indices(usize);
    /// Sets the text that means missing.
    mask_token(some into String);
});

impl Rule for StringLookup {
    fn check(&self) -> Result<()> {
        if !["utf-8", "utf8"].contains(&self.encoding.to_lowercase().as_str()) {
            return Err(Error::invalid("encoding", &self.encoding, "utf-8"));
        }
        self.table().check()
    }
}

impl LayerFormula for StringLookup {
    const KERAS: KerasTraits = KerasTraits::LAYER.not_compiled();

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        self.table().shape(&inputs[0])
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            takes_text: true,
            takes_numbers: false,
            ..self.table().traits()
        }
    }

    fn dtype(&self, _: &[Dtype]) -> Dtype {
        self.output_mode.dtype(Dtype::Int64)
    }

    fn known_texts(&self) -> Option<&[String]> {
        self.table().tokens()
    }

    fn look_up(&self, texts: &[String]) -> Result<Vec<Option<f32>>> {
        let table = self.table();
        let known = table.place_of_each()?;
        let place = |text: &String| {
            if Some(text) == self.mask_token.as_ref() {
                return Some(table.mask_place());
            }
            let found = known.get(text).copied();
            let place = found.or_else(|| match self.num_oov_indices {
                0 => None,
                1 => Some(table.oov_start()),
                several => Some(table.oov_start() + bucket(text.as_bytes(), several, self.salt)),
            });
            place.map(|place| place as f32)
        };
        Ok(texts.iter().map(place).collect())
    }

    fn adaptation(&self, _: &[Weight]) -> Option<Adaptation> {
        self.vocabulary.is_none().then_some(Adaptation {
            to: Adapts::Texts,
            done: false,
        })
    }

    fn adapt(&mut self, _: &mut Vec<Weight>, seen: Seen) -> Result<()> {
        let Seen::Texts(counts) = seen else {
            return Err(not_asked_for(&seen));
        };
        self.vocabulary = Some(self.table().learned(counts.into_iter().collect())?);
        self.learned = self.table().text().is_some();
        self.check()
    }

    fn vocabulary_text(&self) -> Option<String> {
        let sizes = self.vocabulary.iter().flatten().map(String::len);
        let apart = self.learned || self.vocabulary.is_none() || is_long(sizes.sum());
        self.table().text().filter(|_| apart)
    }

    fn take_vocabulary(&mut self, text: &str) -> Result<()> {
        if self.vocabulary.is_none() {
            self.vocabulary = self.table().read(text, |line| Some(line.to_owned()))?;
            self.learned = self.vocabulary.is_some();
            self.check()?;
        }
        Ok(())
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let places = self.table().places().unwrap_or_default();
        self.output_mode.lower(plan, &call.inputs[0], places)
    }
}
