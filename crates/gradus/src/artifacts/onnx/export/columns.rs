//! The inputs: a table's raw columns, or the numbers that the network begins with.

use super::super::messages::data_type;
use super::graph::{ML, float, floats, texts, value_info};
use super::{Export, row};
use crate::data::{Feature, Kind};
use crate::model::Dtype;
use crate::model::feeds::FeedRole;
use crate::plan::{Buffer, Role};

impl Export<'_> {
    /// The name of an input: its column's, where it takes raw ones.
    pub(super) fn column(&self, input: &str) -> String {
        let feature = self.feature(input).filter(|_| !self.core);
        feature.map_or(input, |feature| &feature.name).to_owned()
    }

    /// The column of an input, in a model of a table.
    fn feature(&self, input: &str) -> Option<&Feature> {
        let mut features = self.model.facts().schema.as_ref()?.features.iter();
        features.find(|feature| feature.input == input)
    }

    /// Adds the inputs, of these names, and the operators between them and the plan's feeds.
    pub(super) fn add_inputs(&mut self, names: &[String]) {
        let (plan, roles) = (self.plan, &self.lowered.feeds[0]);
        for (n, info) in plan.buffers.iter().enumerate() {
            let Role::Feed(feed) = info.role else {
                continue;
            };
            let (FeedRole::Input(input) | FeedRole::LookedUp { input, .. }) = roles[feed] else {
                continue;
            };
            let name = &names[input];
            let dims = row(&self.model.inputs[input].shape);
            self.builder.scope.clone_from(name);
            let tensor = match roles[feed] {
                FeedRole::LookedUp { layer, .. } if self.core => {
                    self.numbers_of_texts(input, layer, name, &dims)
                }
                FeedRole::LookedUp { layer, .. } => self.places_of_texts(name, layer, &dims),
                _ => self.numbers_of(input, name, &dims),
            };
            self.made(Buffer(n as u32), tensor, dims);
        }
        self.builder.scope.clear();
    }

    /// The numbers that a layer gives texts, as an input in the place of these.
    fn numbers_of_texts(&mut self, of: usize, layer: usize, name: &str, dims: &[usize]) -> String {
        let roles = self.lowered.feeds[0].iter();
        let looks_up =
            |role: &&FeedRole| matches!(role, FeedRole::LookedUp { input, .. } if *input == of);
        let is_alone = roles.filter(looks_up).count() == 1;
        let class = self.model.layers[layer].rule.class();
        let layer = &self.model.layers[layer].name;
        let name = match is_alone {
            true => name.to_owned(),
            false => self.builder.take(&format!("{name}/{layer}")),
        };
        let doc = format!("the number that the layer {layer} ({class}) gives the text");
        self.declare(&name, data_type::FLOAT, dims, &doc)
    }

    /// The numbers that a layer gives the texts of an input, which several layers may take.
    fn places_of_texts(&mut self, name: &str, layer: usize, dims: &[usize]) -> String {
        if self
            .builder
            .graph
            .input
            .iter()
            .all(|input| input.name != name)
        {
            let doc = "texts, a gap as the empty text";
            self.declare(name, data_type::STRING, dims, doc);
        }
        self.looked_up(name, layer).unwrap_or_else(|why| {
            let layer = &self.model.layers[layer];
            let (layer, class) = (&layer.name, layer.rule.class());
            self.problems
                .push(format!("layer {layer} ({class}): {why}"));
            String::new()
        })
    }

    /// Adds an input, and returns its name.
    fn declare(&mut self, name: &str, elem_type: i32, dims: &[usize], doc: &str) -> String {
        let info = value_info(name, elem_type, dims, doc);
        self.builder.graph.input.push(info);
        name.to_owned()
    }

    /// The numbers of an input that is no text to the model.
    fn numbers_of(&mut self, input: usize, name: &str, dims: &[usize]) -> String {
        let of_model = &self.model.inputs[input];
        let feature = self.feature(&of_model.name).cloned();
        let (dtype, offset) = (of_model.dtype, feature.as_ref().and_then(|f| f.offset));
        match (feature, offset) {
            (Some(feature), _)
                if !self.core && matches!(feature.kind, Kind::Date | Kind::DateTime) =>
            {
                let timed = feature.kind == Kind::DateTime;
                match self.builder.date_parts(name, feature.dates, timed) {
                    Ok((parts, doc)) => {
                        self.declare(name, data_type::STRING, &[1], &doc);
                        parts
                    }
                    Err(why) => {
                        self.problems.push(format!("column {name}: {why}"));
                        String::new()
                    }
                }
            }
            // The difference of numbers that float32 does not tell apart.
            (Some(_), Some(offset)) if !self.core => {
                let doc = "numbers of double precision, a gap as NaN";
                self.declare(name, data_type::DOUBLE, dims, doc);
                let offset = self.builder.double(offset);
                let moved = self.builder.op("Sub", &[name, &offset]);
                self.builder.cast(&moved, data_type::FLOAT)
            }
            (Some(_), Some(offset)) => {
                let doc = format!("the column's number minus {offset}, a gap as NaN");
                self.declare(name, data_type::FLOAT, dims, &doc)
            }
            (Some(feature), None) => {
                let doc = match feature.kind {
                    Kind::Boolean => "0 or 1, a gap as NaN",
                    Kind::Date | Kind::DateTime => "parts of the date, a gap as NaN",
                    _ => "numbers, a gap as NaN",
                };
                self.declare(name, data_type::FLOAT, dims, doc)
            }
            (None, _) => {
                let kind = match dtype {
                    Dtype::Int32 => data_type::INT32,
                    Dtype::Int64 => data_type::INT64,
                    _ => data_type::FLOAT,
                };
                let doc = self.picture_doc();
                let name = self.declare(name, kind, dims, &doc);
                match kind {
                    data_type::FLOAT => name,
                    _ => self.builder.cast(&name, data_type::FLOAT),
                }
            }
        }
    }

    /// The preparation that pictures need before they are fed, if the model knows of one.
    fn picture_doc(&self) -> String {
        let pictures = self.model.facts().pictures.as_ref();
        pictures.map_or(String::new(), |pictures| {
            format!(
                "pictures as the network takes them, prepared so: {}",
                serde_json::json!(pictures)
            )
        })
    }

    /// The numbers that a layer gives these texts.
    fn looked_up(&mut self, name: &str, layer: usize) -> Result<String, String> {
        let rule = &self.model.layers[layer].rule;
        let core = "; `gradus convert --core` leaves it to you";
        let config = rule.to_config();
        let known = rule.known_texts();
        let (Some(known), Some(unknown)) = (known, config["num_oov_indices"].as_u64()) else {
            return Err(format!("ONNX has no operator for its hash{core}"));
        };
        if unknown > 1 {
            let why = "ONNX has no operator for the hash by which unknown texts share several \
                       places";
            return Err(format!("{why}{core}"));
        }
        let mask = config["mask_token"].as_str().map(str::to_owned);
        let mut keys: Vec<String> = mask.into_iter().collect();
        keys.extend(
            known
                .iter()
                .filter(|text| !keys.contains(text))
                .cloned()
                .collect::<Vec<_>>(),
        );
        // One that is none of them, for the place of all unknown ones.
        let longest = keys.iter().map(String::len).max().unwrap_or(0);
        let mut asked = keys.clone();
        asked.push("?".repeat(longest + 1));
        let places = rule.look_up(&asked).map_err(|error| error.to_string())?;
        let (unknown, places) = match places.split_last() {
            Some((unknown, places)) => (*unknown, places),
            None => (None, &[][..]),
        };
        let places: Vec<f32> = places
            .iter()
            .map(|place| place.unwrap_or(f32::NAN))
            .collect();
        let attributes = |places, default: f32| {
            vec![
                texts("keys_strings", keys.iter()),
                floats("values_floats", places),
                float("default_float", default.into()),
            ]
        };
        let Some(unknown) = unknown else {
            // Unknown texts are an error: the place of one is no place of the list.
            let numbers = (0..keys.len()).map(|n| n as f32).collect();
            let attributes = attributes(numbers, keys.len() as f32);
            let number = self
                .builder
                .node_of(ML, "LabelEncoder", &[name], attributes);
            let number = self.builder.cast(&number, data_type::INT64);
            let places = self.builder.numbers("places", &[places.len()], &places);
            return Ok(self.builder.op("Gather", &[&places, &number]));
        };
        let attributes = attributes(places, unknown);
        Ok(self
            .builder
            .node_of(ML, "LabelEncoder", &[name], attributes))
    }
}
