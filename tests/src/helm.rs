//! The Helm chart, as Helm itself reads it, and what comes of it by Kubernetes' own schemas.

use std::{path::Path, process::Command};

use serde::Deserialize;
use serde_json::Value;

use crate::{container::succeeded, env};

/// Prints what Helm's linter says, the text of every template, and each document with what is wrong with it.
const RENDER: &str = "import helm_python as helm, json, kubernetes_validate, sys, yaml
chart, values, versions = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3].split(',')
lint = helm.lint(chart)
with helm.Chart.load(chart) as loaded:
    templates = loaded.render(values, name='monitor', namespace='monitoring')
documents, faults = [], []
for name, text in sorted(templates.items()):
    if not name.endswith('.yaml'):
        continue
    for document in filter(None, yaml.safe_load_all(text)):
        documents.append(document)
        if document['apiVersion'].startswith('monitoring.coreos.com/'):
            continue
        for version in versions:
            try:
                kubernetes_validate.validate(document, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                faults.append(f'{version} {name}: {error.message}')
            except kubernetes_validate.VersionNotSupportedError as error:
                faults.append(str(error))
text = {name: text for name, text in templates.items() if name.endswith('.yaml') and text.strip()}
print(json.dumps({'errors': lint['errors'], 'templates': text, 'documents': documents, 'faults': faults}))";

/// What came of a chart.
#[derive(Debug, Deserialize)]
pub struct Rendered {
    /// What the linter refuses.
    pub errors: Vec<Value>,
    /// The text of each template.
    pub templates: std::collections::BTreeMap<String, String>,
    /// All documents.
    pub documents: Vec<Value>,
    /// Where they do not keep to the schemas of a version of Kubernetes.
    pub faults: Vec<String>,
}

impl Rendered {
    /// The document of a kind.
    #[must_use]
    pub fn document(&self, kind: &str) -> &Value {
        let found = self.documents.iter().find(|document| document["kind"] == kind);
        found.unwrap_or_else(|| panic!("no {kind} in {:?}", self.templates.keys()))
    }
}

/// Renders a chart with values, and holds it to the schemas of these versions of Kubernetes.
#[must_use]
pub fn render(chart: &Path, values: &Value, versions: &[&str]) -> Rendered {
    let output = Command::new(env::duckdb_python())
        .args(["-c", RENDER])
        .arg(chart)
        .args([&values.to_string(), &versions.join(",")])
        .output()
        .expect("run Python");
    let printed = succeeded("Helm", output);
    serde_json::from_slice(&printed).expect("what Helm made")
}
