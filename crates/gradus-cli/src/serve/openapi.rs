//! The description of this model's service in OpenAPI 3.1.

use super::service::Service;
use gradus::data::{Feature, Kind, Schema};
use gradus::{Dtype, Result};
use serde_json::{Map, Value, json};

/// Categories named of a column.
const MOST_TEXTS: usize = 50;

impl Service {
    /// The whole description.
    pub fn openapi(&self) -> Result<Value> {
        let error = json!({
            "description": "The request was refused; the error says why.",
            "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } },
        });
        let mut body = json!({ "application/json": { "schema": self.request() } });
        if let Some(example) = self.example() {
            body["application/json"]["example"] = example;
        }
        let mut answer = json!({ "application/json": { "schema": self.answer()? } });
        if self.inputs.is_some() && self.model.inputs.len() == 1 {
            body["application/x-npy"] = json!({});
        }
        if self.model.outputs.len() == 1 && !self.is_sampled {
            answer["application/x-npy"] = json!({});
        }
        let get = |summary: &str, kind: &str| {
            let content = json!({ kind: {} });
            json!({ "get": {
                "summary": summary,
                "responses": { "200": { "description": summary, "content": content } },
            } })
        };
        let json_kind = "application/json";
        let model = format!("/v2/models/{}", self.name);
        let mut paths = Map::new();
        paths.insert(
            "/predict".into(),
            json!({ "post": {
                "summary": "Predictions for rows",
                "requestBody": { "required": true, "content": body },
                "responses": {
                    "200": { "description": "An item for each row, in their order", "content": answer },
                    "4XX": error.clone(),
                },
            } }),
        );
        paths.insert(
            "/health".into(),
            get("True once the model is loaded", json_kind),
        );
        let health = ["/v2/health/live", "/v2/health/ready"];
        paths.extend(
            health.map(|path| (path.into(), get("The same, in KServe's words", json_kind))),
        );
        paths.insert(
            "/metrics".into(),
            get("Counts for Prometheus", "text/plain"),
        );
        paths.insert(
            "/v2".into(),
            get("The server's name and version", json_kind),
        );
        paths.insert(
            model.clone(),
            get("The model's inputs and outputs", json_kind),
        );
        paths.insert(
            format!("{model}/ready"),
            get("True once the model is loaded", json_kind),
        );
        paths.insert(
            format!("{model}/infer"),
            json!({ "post": {
                "summary": "Outputs for tensors, in KServe's protocol, version 2",
                "requestBody": { "required": true, "content": { "application/json": {} } },
                "responses": {
                    "200": { "description": "The outputs", "content": { "application/json": {} } },
                    "4XX": error,
                },
            } }),
        );
        let mut schemas = json!({ "Error": {
            "type": "object",
            "properties": { "error": { "type": "string" } },
            "required": ["error"],
        } });
        if let Some(schema) = &self.schema {
            schemas["Row"] = json!({
                "type": "object",
                "properties": self.columns_of(schema),
                "additionalProperties": false,
                "description": "A column that is missing, null or \"\" is a gap.",
            });
        }
        Ok(json!({
            "openapi": "3.1.0",
            "info": { "title": self.name, "version": env!("CARGO_PKG_VERSION") },
            "paths": paths,
            "components": { "schemas": schemas },
        }))
    }

    /// The schema of a body.
    fn request(&self) -> Value {
        let mut ways = Vec::new();
        if self.schema.is_some() {
            let row = json!({ "$ref": "#/components/schemas/Row" });
            let most = self.limits.rows;
            let rows = json!({ "type": "array", "items": row, "minItems": 1, "maxItems": most });
            ways.push(json!({
                "type": "object", "properties": { "rows": rows }, "required": ["rows"],
                "additionalProperties": false,
            }));
            ways.push(row);
        }
        if self.inputs.is_some() {
            let inputs = self.model.inputs.iter();
            let each = inputs.map(|input| {
                let dims = input.shape.as_ref().map_or(&[][..], |shape| shape.dims());
                let kind = match input.dtype {
                    Dtype::String => "string",
                    _ => "number",
                };
                (input.name.clone(), lists(json!({ "type": kind }), dims))
            });
            let each: Vec<(String, Value)> = each.collect();
            let all = match &each[..] {
                [(_, only)] => only.clone(),
                _ => json!({
                    "type": "object",
                    "required": each.iter().map(|(name, _)| name).collect::<Vec<_>>(),
                    "properties": each.iter().cloned().collect::<Map<_, _>>(),
                }),
            };
            ways.push(json!({
                "type": "object", "properties": { "inputs": all }, "required": ["inputs"],
                "additionalProperties": false,
            }));
        }
        json!({ "anyOf": ways })
    }

    /// The columns that a row may have.
    fn columns_of(&self, schema: &Schema) -> Map<String, Value> {
        let known = self.model.inputs.iter().map(|input| input.name.as_str());
        let known: Vec<_> = known.zip(self.model.known_texts()).collect();
        let column = |feature: &Feature| {
            let types = match feature.kind {
                Kind::Number => json!(["number", "string", "null"]),
                Kind::Boolean => json!(["boolean", "string", "null"]),
                Kind::Date | Kind::DateTime => json!(["string", "null"]),
                Kind::Category => json!(["string", "number", "boolean", "null"]),
            };
            let mut column = json!({ "type": types, "examples": [self.cell(schema, feature)] });
            let texts = known.iter().find(|(name, _)| *name == feature.input);
            if let (Kind::Category, Some((_, texts))) = (feature.kind, texts)
                && !texts.is_empty()
            {
                let first: Vec<&str> = texts.iter().take(MOST_TEXTS).copied().collect();
                column["examples"] = json!(first);
            }
            column["description"] = match feature.kind {
                Kind::Date | Kind::DateTime => {
                    json!(format!("{}, format {}", feature.kind.name(), feature.dates))
                }
                kind => json!(kind.name()),
            };
            (feature.name.clone(), column)
        };
        let ids = schema.ids.iter().map(|name| {
            let types = json!(["string", "number", "boolean", "null"]);
            let column = json!({ "type": types, "description": "returned beside the prediction" });
            (name.clone(), column)
        });
        schema.features.iter().map(column).chain(ids).collect()
    }

    /// The schema of an answer.
    fn answer(&self) -> Result<Value> {
        let number = json!({ "type": ["number", "null"] });
        let mut fields = Map::new();
        let targets = self.schema.as_ref().map(|schema| &schema.targets[..]);
        let item = match targets {
            Some(targets) if !targets.is_empty() => {
                for target in targets {
                    let classes = &target.classes;
                    let value = match classes.is_empty() {
                        true => number.clone(),
                        false => json!({ "type": "string", "enum": classes }),
                    };
                    fields.insert(target.name.clone(), value);
                    let each = classes
                        .iter()
                        .map(|class| format!("{}_{class}", target.name));
                    fields.extend(each.map(|name| (name, number.clone())));
                }
                json!({ "type": "object", "properties": fields })
            }
            _ => json!({ "description": "an object of columns, a number, or lists of numbers" }),
        };
        let list = json!({ "type": "array", "items": item });
        let mut properties = json!({ "predictions": list });
        if self.schema.is_some() {
            let texts = json!({ "type": "array", "items": { "type": "string" } });
            properties["warnings"] = texts;
        }
        if self.is_sampled {
            properties["std"] = json!({ "description": "the standard deviation over the samples" });
        }
        Ok(json!({ "type": "object", "properties": properties, "required": ["predictions"] }))
    }
}

/// Any number of rows of these dimensions.
fn lists(value: Value, dims: &[usize]) -> Value {
    let row = dims.iter().rev().fold(
        value,
        |inner, &dim| json!({ "type": "array", "items": inner, "minItems": dim, "maxItems": dim }),
    );
    json!({ "type": "array", "items": row, "minItems": 1 })
}
