//! A check of JSON against a JSON Schema, for the keywords that monitor's own schema uses. A keyword that is not known
//! here fails the check, so that no part of the schema is passed over in silence.

use serde_json::{Map, Value};

/// Where a value differs from what the schema says; empty when it fits.
#[must_use]
pub fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let mut checker = Checker { root: schema, faults: Vec::new() };
    checker.check(schema, value, "$");
    checker.faults
}

struct Checker<'a> {
    root: &'a Value,
    faults: Vec<String>,
}

impl Checker<'_> {
    fn check(&mut self, schema: &Value, value: &Value, at: &str) {
        match schema {
            Value::Bool(true) => {}
            Value::Object(keywords) => {
                for (keyword, argument) in keywords {
                    self.check_keyword(keywords, keyword, argument, value, at);
                }
            }
            _ => self.faults.push(format!("{at}: nothing may be here")),
        }
    }

    fn check_keyword(
        &mut self,
        schema: &Map<String, Value>,
        keyword: &str,
        argument: &Value,
        value: &Value,
        at: &str,
    ) {
        match keyword {
            "$schema" | "$id" | "$defs" | "title" | "description" | "format" | "default" => {}
            "$ref" => {
                let pointer = argument.as_str().and_then(|text| text.strip_prefix('#'));
                match pointer.and_then(|pointer| self.root.pointer(pointer)) {
                    Some(target) => self.check(target, value, at),
                    None => self.faults.push(format!("{at}: the schema has no {argument}")),
                }
            }
            "type" => self.demand(is_of_type(argument, value), at, &format!("{value} is no {argument}")),
            "const" => self.demand(argument == value, at, &format!("{value} is not {argument}")),
            "enum" => {
                let is_one = argument.as_array().is_some_and(|values| values.contains(value));
                self.demand(is_one, at, &format!("{value} is none of {argument}"));
            }
            "minimum" => {
                self.demand(is_at_least(value, argument), at, &format!("{value} is below {argument}"));
            }
            "maximum" => {
                self.demand(is_at_least(argument, value), at, &format!("{value} is above {argument}"));
            }
            "anyOf" | "oneOf" => {
                let fitting = self.fitting(argument, value);
                let is_right = if keyword == "oneOf" { fitting == 1 } else { fitting > 0 };
                self.demand(is_right, at, &format!("{value} fits {fitting} of {argument}"));
            }
            "required" => self.check_required(argument, value, at),
            "properties" | "additionalProperties" => self.check_members(schema, keyword, argument, value, at),
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    self.check(argument, item, &format!("{at}[{index}]"));
                }
            }
            _ => self.faults.push(format!("{at}: the schema's keyword {keyword} is not known to this check")),
        }
    }

    fn check_required(&mut self, names: &Value, value: &Value, at: &str) {
        let Some(object) = value.as_object() else { return };
        for name in names.as_array().into_iter().flatten().filter_map(Value::as_str) {
            self.demand(object.contains_key(name), at, &format!("{name} is missing"));
        }
    }

    fn check_members(
        &mut self,
        schema: &Map<String, Value>,
        keyword: &str,
        argument: &Value,
        value: &Value,
        at: &str,
    ) {
        for (name, member) in value.as_object().into_iter().flatten() {
            let at = format!("{at}.{name}");
            let described = schema.get("properties").and_then(|properties| properties.get(name));
            match (keyword, described) {
                ("properties", Some(schema)) => self.check(schema, member, &at),
                ("additionalProperties", None) => self.check(argument, member, &at),
                _ => {}
            }
        }
    }

    fn fitting(&self, schemas: &Value, value: &Value) -> usize {
        let fits = |schema: &&Value| {
            let mut checker = Checker { root: self.root, faults: Vec::new() };
            checker.check(schema, value, "");
            checker.faults.is_empty()
        };
        schemas.as_array().into_iter().flatten().filter(fits).count()
    }

    fn demand(&mut self, is_so: bool, at: &str, otherwise: &str) {
        if !is_so {
            self.faults.push(format!("{at}: {otherwise}"));
        }
    }
}

fn is_of_type(types: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("string") => value.is_string(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => false,
    };
    types.as_array().map_or_else(|| is(types), |types| types.iter().any(is))
}

/// True also of what is no number, to which a bound does not apply.
fn is_at_least(value: &Value, bound: &Value) -> bool {
    match (value.as_f64(), bound.as_f64()) {
        (Some(value), Some(bound)) => value >= bound,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_differs_is_found() {
        let schema = json!({
            "type": "object",
            "required": ["a", "b"],
            "properties": { "a": { "$ref": "#/$defs/count" }, "b": { "type": ["string", "null"] } },
            "additionalProperties": false,
            "$defs": { "count": { "type": "integer", "minimum": 0 } },
        });
        assert!(faults(&schema, &json!({ "a": u64::MAX, "b": null })).is_empty());
        for wrong in [
            json!({ "a": 1 }),
            json!({ "a": -1, "b": null }),
            json!({ "a": 1.5, "b": null }),
            json!({ "a": 1, "b": 2 }),
            json!({ "a": 1, "b": null, "c": 3 }),
            json!([]),
        ] {
            assert!(!faults(&schema, &wrong).is_empty(), "{wrong}");
        }
    }

    #[test]
    fn a_keyword_that_is_not_known_fails() {
        assert!(!faults(&json!({ "multipleOf": 2 }), &json!(2)).is_empty());
    }
}
