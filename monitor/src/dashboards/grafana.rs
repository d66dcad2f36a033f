//! The JSON that Grafana imports (schema 39, which Grafana 10.4 and later read), with nothing but its own panels.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::query::{Scope, UnknownName, expand};

const SCHEMA: u32 = 39;
/// Columns of a dashboard.
const WIDTH: u32 = 24;
const HEIGHT: u32 = 8;
const STAT_HEIGHT: u32 = 4;

/// A dashboard.
pub(super) struct Dashboard {
    /// Its file's, without the ending.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) description: &'static str,
    pub(super) scope: Scope,
    pub(super) rows: Vec<Row>,
}

/// Panels under a heading.
pub(super) struct Row {
    pub(super) title: &'static str,
    pub(super) panels: Vec<Panel>,
}

/// What is shown of one subject.
pub(super) struct Panel {
    pub(super) title: &'static str,
    pub(super) description: &'static str,
    pub(super) look: Look,
    pub(super) unit: Unit,
    /// Of [`WIDTH`] columns.
    pub(super) width: u32,
    /// Each with its legend, or the name of its column.
    pub(super) queries: Vec<(&'static str, &'static str)>,
    /// The units of columns, where they differ.
    pub(super) units: Vec<Unit>,
}

/// How it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Lines,
    Stack,
    Stat,
    Heatmap,
    Table,
}

/// Grafana's units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// CPUs, or of any other thing how many.
    Number,
    /// A part of 1.
    Share,
    Seconds,
    Bytes,
    BytesPerSecond,
    /// Of events.
    PerSecond,
    /// Seconds since 1970.
    Moment,
}

impl Unit {
    fn id(self) -> &'static str {
        match self {
            Self::Number => "short",
            Self::Share => "percentunit",
            Self::Seconds => "s",
            Self::Bytes => "bytes",
            Self::BytesPerSecond => "Bps",
            Self::PerSecond => "cps",
            Self::Moment => "dateTimeFromNow",
        }
    }
}

impl Panel {
    /// Lines over time, a third of the width.
    pub(super) fn lines(
        title: &'static str,
        unit: Unit,
        description: &'static str,
        queries: &[(&'static str, &'static str)],
    ) -> Self {
        let queries = queries.to_vec();
        Self { title, description, look: Look::Lines, unit, width: WIDTH / 3, queries, units: Vec::new() }
    }

    /// As areas on each other.
    pub(super) fn stacked(self) -> Self {
        Self { look: Look::Stack, ..self }
    }

    /// Half the width.
    pub(super) fn half(self) -> Self {
        Self { width: WIDTH / 2, ..self }
    }

    /// One number.
    pub(super) fn stat(title: &'static str, unit: Unit, query: &'static str) -> Self {
        Self { look: Look::Stat, width: WIDTH / 6, ..Self::lines(title, unit, "", &[("", query)]) }
    }

    /// Buckets over time.
    pub(super) fn heatmap(title: &'static str, description: &'static str, query: &'static str) -> Self {
        Self {
            look: Look::Heatmap,
            width: WIDTH / 2,
            ..Self::lines(title, Unit::Seconds, description, &[("{{le}}", query)])
        }
    }

    /// A column for each query, all the width.
    pub(super) fn table(
        title: &'static str,
        description: &'static str,
        columns: &[(&'static str, Unit, &'static str)],
    ) -> Self {
        let queries = columns.iter().map(|(name, _, query)| (*name, *query)).collect();
        let units = columns.iter().map(|(_, unit, _)| *unit).collect();
        Self { title, description, look: Look::Table, unit: Unit::Number, width: WIDTH, queries, units }
    }

    fn height(&self) -> u32 {
        if self.look == Look::Stat { STAT_HEIGHT } else { HEIGHT }
    }
}

impl Dashboard {
    /// Its file. Adds what `--metrics` needs to `wishes`.
    pub(super) fn json(&self, wishes: &mut BTreeSet<String>) -> Result<String, UnknownName> {
        let mut panels = Vec::new();
        let (mut id, mut y) = (1, 0);
        for row in &self.rows {
            panels.push(json!({
                "id": id, "type": "row", "title": row.title, "collapsed": false, "panels": [],
                "gridPos": { "h": 1, "w": WIDTH, "x": 0, "y": y },
            }));
            (id, y) = (id + 1, y + 1);
            let (mut x, mut height) = (0, 0);
            for panel in &row.panels {
                if x + panel.width > WIDTH {
                    (x, y, height) = (0, y + height, 0);
                }
                let place = json!({ "h": panel.height(), "w": panel.width, "x": x, "y": y });
                panels.push(self.panel(panel, id, &place, wishes)?);
                (id, x, height) = (id + 1, x + panel.width, height.max(panel.height()));
            }
            y += height;
        }
        let dashboard = json!({
            "uid": format!("monitor-{}", self.name),
            "title": self.title,
            "description": self.description,
            "tags": ["monitor"],
            "schemaVersion": SCHEMA,
            "version": 1,
            "editable": true,
            "graphTooltip": 1,
            "refresh": "30s",
            "time": { "from": "now-1h", "to": "now" },
            "timezone": "",
            "annotations": { "list": [] },
            "links": [{
                "type": "dashboards", "tags": ["monitor"], "title": "monitor", "asDropdown": true, "icon": "external link",
                "includeVars": true, "keepTime": true, "targetBlank": false, "tooltip": "", "url": "",
            }],
            "templating": { "list": variables(self.scope) },
            "panels": panels,
        });
        // It cannot fail: every key is a string.
        Ok(serde_json::to_string_pretty(&dashboard).unwrap_or_default() + "\n")
    }

    fn panel(
        &self,
        panel: &Panel,
        id: u32,
        place: &Value,
        wishes: &mut BTreeSet<String>,
    ) -> Result<Value, UnknownName> {
        let mut targets = Vec::new();
        for ((legend, query), letter) in panel.queries.iter().zip('A'..='Z') {
            let format = match panel.look {
                Look::Table => "table",
                Look::Heatmap => "heatmap",
                Look::Lines | Look::Stack | Look::Stat => "time_series",
            };
            let is_instant = matches!(panel.look, Look::Table | Look::Stat);
            targets.push(json!({
                "refId": letter.to_string(),
                "datasource": datasource(),
                "expr": expand(query, self.scope, wishes)?,
                "legendFormat": if panel.look == Look::Table { "" } else { *legend },
                "format": format,
                "instant": is_instant,
                "range": !is_instant,
            }));
        }
        let (kind, options) = look(panel.look);
        let mut made = json!({
            "id": id,
            "type": kind,
            "title": panel.title,
            "description": panel.description,
            "datasource": datasource(),
            "gridPos": place,
            "targets": targets,
            "options": options,
            "fieldConfig": { "defaults": defaults(panel), "overrides": overrides(panel) },
        });
        if panel.look == Look::Table
            && let Some(object) = made.as_object_mut()
        {
            object.insert("transformations".to_owned(), columns(panel));
        }
        Ok(made)
    }
}

fn datasource() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

fn look(look: Look) -> (&'static str, Value) {
    match look {
        Look::Lines | Look::Stack => (
            "timeseries",
            json!({
                "legend": { "displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": [] },
                "tooltip": { "mode": "multi", "sort": "desc" },
            }),
        ),
        Look::Stat => (
            "stat",
            json!({
                "colorMode": "none", "graphMode": "none", "justifyMode": "auto", "textMode": "auto",
                "orientation": "auto", "reduceOptions": { "calcs": ["lastNotNull"], "fields": "", "values": false },
            }),
        ),
        Look::Heatmap => (
            "heatmap",
            json!({
                "calculate": false, "cellGap": 1, "legend": { "show": true }, "tooltip": { "mode": "single" },
                "color": { "mode": "scheme", "scheme": "Oranges", "steps": 64, "exponent": 0.5, "reverse": false },
                "yAxis": { "axisPlacement": "left", "unit": Unit::Seconds.id() },
            }),
        ),
        Look::Table => {
            ("table", json!({ "showHeader": true, "cellHeight": "sm", "footer": { "show": false } }))
        }
    }
}

fn defaults(panel: &Panel) -> Value {
    let unit = if panel.look == Look::Heatmap { Unit::Number } else { panel.unit };
    let is_stack = panel.look == Look::Stack;
    json!({
        "unit": unit.id(),
        "min": if unit == Unit::Moment { Value::Null } else { json!(0) },
        "color": { "mode": "palette-classic" },
        "custom": match panel.look {
            Look::Lines | Look::Stack => json!({
                "drawStyle": "line", "lineWidth": 1, "showPoints": "never", "spanNulls": false,
                "fillOpacity": if is_stack { 40 } else { 5 },
                "stacking": { "mode": if is_stack { "normal" } else { "none" }, "group": "A" },
            }),
            Look::Stat | Look::Heatmap | Look::Table => json!({}),
        },
    })
}

/// The unit of each column of a table.
fn overrides(panel: &Panel) -> Value {
    let each = panel.queries.iter().zip(&panel.units).map(|((name, _), unit)| {
        json!({
            "matcher": { "id": "byName", "options": name },
            "properties": [{ "id": "unit", "value": unit.id() }],
        })
    });
    each.collect()
}

/// Makes one row of each container, and calls the columns by their names.
fn columns(panel: &Panel) -> Value {
    let names = panel.queries.iter().zip('A'..='Z').map(|((name, _), letter)| {
        // Of one query, the only column has no letter.
        let column = if panel.queries.len() == 1 { "Value".to_owned() } else { format!("Value #{letter}") };
        (column, Value::from(*name))
    });
    let names: serde_json::Map<String, Value> = names.collect();
    json!([
        { "id": "merge", "options": {} },
        { "id": "organize", "options": { "excludeByName": { "Time": true }, "indexByName": {}, "renameByName": names } },
    ])
}

fn variables(scope: Scope) -> Value {
    let query = |name: &str, label: &str, query: &str| {
        json!({
            "name": name, "label": label, "type": "query", "datasource": datasource(),
            "definition": query, "query": { "query": query, "refId": name },
            "refresh": 2, "sort": 1, "regex": "", "hide": 0, "skipUrlSync": false,
            "multi": true, "includeAll": true, "allValue": ".*",
            "current": { "selected": true, "text": ["All"], "value": ["$__all"] },
        })
    };
    let mut list = vec![
        json!({
            "name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "regex": "",
            "refresh": 1, "hide": 0, "multi": false, "includeAll": false, "skipUrlSync": false, "current": {},
        }),
        query("instance", "Host", "label_values(monitor_host_info, instance)"),
    ];
    if scope == Scope::Containers {
        let containers = r#"label_values(monitor_container_info{instance=~"$instance"}, name)"#;
        list.push(query("container", "Container", containers));
    }
    Value::from(list)
}
