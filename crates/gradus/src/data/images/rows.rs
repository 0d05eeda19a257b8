//! Rows of pictures, read from the cache of their decoded form.

use super::cache::Kept;
use super::files::Found;
use crate::base::shape::Shape;
use crate::data::stream::Rows;
use crate::data::{Dataset, Tensor};
use crate::error::Result;
use std::ops::Range;
use std::sync::Arc;

/// The pictures of a folder, as [`Images::decoded`](super::Images) has them, in their file.
#[derive(Debug)]
pub(in crate::data) struct PictureRows {
    kept: Arc<Kept>,
    /// Index of each row in the file.
    places: Vec<usize>,
    shape: Shape,
    about: About,
}

/// The facts about a folder's pictures other than their pixels, row by row.
#[derive(Clone, Debug)]
pub(in crate::data) struct About {
    name: String,
    labels: Option<Vec<f32>>,
    weights: Option<Vec<f32>>,
    classes: Vec<String>,
    names: Arc<Vec<String>>,
    /// Index of each row's file among the names.
    files: Vec<u32>,
}

impl Found {
    /// The facts about these pictures, in the order of the rows.
    pub(super) fn about(&self, rows: &[usize]) -> About {
        let label = |labels: &Vec<usize>| rows.iter().map(|&file| labels[file] as f32).collect();
        About {
            name: self.folder.display().to_string(),
            labels: self.labels.as_ref().map(label),
            weights: None,
            classes: self.classes.clone(),
            names: Arc::new(self.names()),
            files: rows.iter().map(|&file| file as u32).collect(),
        }
    }
}

impl About {
    /// The data set of a range of rows, `x` being their pictures.
    pub fn with(&self, x: Tensor, rows: Range<usize>) -> Result<Dataset> {
        let column = |all: &[f32]| Tensor::from_column(all[rows.clone()].to_vec());
        let x = x.named(&self.name);
        let data = match &self.labels {
            None => Dataset::unlabelled(x),
            Some(labels) => {
                let title = format!("the classes of {}", self.name);
                Dataset::new(x, column(labels)?.named(&title))?
            }
        };
        let data = match &self.weights {
            None => data,
            Some(weights) => data.with_sample_weight(column(weights)?)?,
        };
        let files = self.files[rows.clone()].to_vec();
        let files = Tensor::from_dictionary([1], self.names.clone(), files)?;
        data.named(&self.name)
            .with_class_names(&self.classes)
            .with_ids(vec![("file".to_owned(), files)])
    }

    /// All rows with a single 0 in place of each picture, for callers that need only the rest.
    pub fn data(&self) -> Result<Dataset> {
        let rows = self.files.len();
        self.with(Tensor::from_u8([1], vec![0; rows])?, 0..rows)
    }

    fn picked(&self, rows: &[usize]) -> Self {
        let pick = |all: &Vec<f32>| rows.iter().map(|&row| all[row]).collect();
        About {
            labels: self.labels.as_ref().map(pick),
            weights: self.weights.as_ref().map(pick),
            files: rows.iter().map(|&row| self.files[row]).collect(),
            ..self.clone()
        }
    }
}

impl PictureRows {
    pub(super) fn new(kept: Kept, places: Vec<usize>, channels: usize, about: About) -> Self {
        let [height, width] = kept.size;
        PictureRows {
            kept: Arc::new(kept),
            places,
            shape: [height, width, channels].into(),
            about,
        }
    }

    /// The facts without the pixels.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// Some of the rows.
    pub fn picked(&self, rows: &[usize]) -> Self {
        PictureRows {
            kept: self.kept.clone(),
            places: rows.iter().map(|&row| self.places[row]).collect(),
            shape: self.shape.clone(),
            about: self.about.picked(rows),
        }
    }

    /// The same with a weight for each row's loss.
    pub fn weighted(mut self, weights: Vec<f32>) -> Self {
        self.about.weights = Some(weights);
        self
    }

    /// The same in another shape of the same size; unchanged if the size differs.
    pub fn shaped(mut self, shape: &Shape) -> Self {
        if shape.size() == self.shape.size() {
            self.shape = shape.clone();
        }
        self
    }
}

impl Rows for PictureRows {
    fn rows(&self) -> usize {
        self.places.len()
    }

    fn read(&mut self, rows: Range<usize>) -> Result<Dataset> {
        let mut pixels = Vec::with_capacity(rows.len() * self.shape.size());
        let places = &self.places[rows.clone()];
        for near in places.chunk_by(|a, b| a + 1 == *b) {
            self.kept.read(near[0]..near[0] + near.len(), &mut pixels)?;
        }
        let x = Tensor::from_u8(self.shape.clone(), pixels)?;
        self.about.with(x, rows)
    }
}

/// The rows with a single 0 in place of each picture.
impl Rows for About {
    fn rows(&self) -> usize {
        self.files.len()
    }

    fn read(&mut self, rows: Range<usize>) -> Result<Dataset> {
        self.with(Tensor::from_u8([1], vec![0; rows.len()])?, rows)
    }
}
