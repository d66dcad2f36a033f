//! The `OpenAPI` 3.1 document, generated from the endpoints and the types that they answer with.

use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{
    api::{self, Endpoint},
    past,
    problem::{self, Body9457},
    query::{Form, Parameter},
};

/// The document.
#[must_use]
pub fn document() -> String {
    let settings = SchemaSettings::draft2020_12().for_serialize().with(|settings| {
        "/components/schemas".clone_into(settings.definitions_path.to_mut());
    });
    let mut generator = settings.into_generator();
    let problem = generator.subschema_for::<Body9457<'_>>();
    let of_now: Vec<_> =
        api::ENDPOINTS.iter().map(|endpoint| path(endpoint, &mut generator, problem.as_value())).collect();
    let of_the_past = past::ENDPOINTS.iter().map(|one| path(one, &mut generator, problem.as_value()));
    let paths: Map<String, Value> = of_now.into_iter().chain(of_the_past).collect();
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "monitor",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What `monitor serve` measures of this machine's containers. Units end names; a value that was not \
                            measured is null. Errors are problem details (RFC 9457) whose `type` is stable.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "paths": paths,
        "components": { "schemas": generator.take_definitions(true) },
    });
    // It cannot fail: it is a value already.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

fn path<S>(endpoint: &Endpoint<S>, generator: &mut SchemaGenerator, problem: &Value) -> (String, Value) {
    let answer = json!({
        "description": endpoint.summary,
        "content": { endpoint.media: { "schema": (endpoint.schema)(generator) } },
    });
    (endpoint.path.to_owned(), json!({ "get": operation(endpoint, &answer, problem) }))
}

fn operation<S>(endpoint: &Endpoint<S>, answer: &Value, problem: &Value) -> Value {
    let mut responses = Map::new();
    responses.insert("200".to_owned(), answer.clone());
    let everywhere = [
        problem::NO_TOKEN,
        problem::FOREIGN_PAGE,
        problem::UNKNOWN_HOST,
        problem::SLOW_REQUEST,
        problem::LARGE_BODY,
    ];
    for kind in endpoint.problems.iter().chain(&everywhere) {
        let status = kind.status().as_u16().to_string();
        let before = responses.get(&status).and_then(|one| one["description"].as_str());
        let description =
            before.map_or(kind.title().to_owned(), |before| format!("{before}; {}", kind.title()));
        let problem = json!({
            "description": description,
            "content": { problem::MEDIA_TYPE: { "schema": problem } },
        });
        responses.insert(status, problem);
    }
    let in_path = endpoint.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path = in_path
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }));
    let parameters: Vec<Value> = in_path.chain(endpoint.parameters.iter().map(parameter)).collect();
    json!({ "summary": endpoint.summary, "parameters": parameters, "responses": responses })
}

fn parameter(parameter: &Parameter) -> Value {
    let Parameter { name, form, help } = parameter;
    let schema = match form {
        Form::Text => json!({ "type": "string" }),
        Form::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Form::Number(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Form::Word(words) => json!({ "type": "string", "enum": words }),
    };
    json!({ "name": name, "in": "query", "description": help, "schema": schema })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every `$ref` in a value.
    fn references<'v>(value: &'v Value, found: &mut BTreeSet<&'v str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members.values().for_each(|member| references(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document: Value = serde_json::from_str(&document()).unwrap();
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        assert!(found.len() > 20, "{found:?}");
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference}"));
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }

    #[test]
    fn every_endpoint_is_there_with_its_parameters() {
        let document: Value = serde_json::from_str(&document()).unwrap();
        let of_now = api::ENDPOINTS.iter().map(|one| (one.path, one.parameters, one.media));
        let of_the_past = past::ENDPOINTS.iter().map(|one| (one.path, one.parameters, one.media));
        for (path, parameters, media) in of_now.chain(of_the_past) {
            let operation = &document["paths"][path]["get"];
            let names = operation["parameters"].as_array().unwrap().iter().filter(|one| one["in"] == "query");
            assert_eq!(names.count(), parameters.len(), "{path}");
            let schema = &operation["responses"]["200"]["content"][media]["schema"];
            assert!(schema.is_object() || schema.is_boolean(), "{path}");
        }
    }
}
