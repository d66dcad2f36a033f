//! Resources in parts: a machine with thousands of interfaces has more data points than a server takes in one request.

use super::proto::{Data, Gauge, Histogram, Metric, ResourceMetrics, ScopeMetrics, Sum};

/// A resource as several with so many data points each at most, of the same attributes.
pub(super) fn parts(resource: ResourceMetrics, most: usize) -> Vec<ResourceMetrics> {
    if count(&resource) <= most {
        return vec![resource];
    }
    let ResourceMetrics { resource, scope_metrics } = resource;
    let mut parts = Vec::new();
    for ScopeMetrics { scope, metrics } in scope_metrics {
        parts.extend(shares(metrics, most.max(1)).into_iter().map(|metrics| ResourceMetrics {
            resource: resource.clone(),
            scope_metrics: vec![ScopeMetrics { scope: scope.clone(), metrics }],
        }));
    }
    parts
}

/// Data points of a resource.
pub(super) fn count(resource: &ResourceMetrics) -> usize {
    resource.scope_metrics.iter().flat_map(|scope| &scope.metrics).map(points).sum()
}

fn shares(metrics: Vec<Metric>, most: usize) -> Vec<Vec<Metric>> {
    let mut shares = Vec::new();
    let (mut share, mut room) = (Vec::new(), most);
    for mut metric in metrics {
        while points(&metric) > room {
            let rest = split_off(&mut metric, room);
            share.push(metric);
            shares.push(std::mem::take(&mut share));
            (metric, room) = (rest, most);
        }
        room -= points(&metric);
        share.push(metric);
        if room == 0 {
            shares.push(std::mem::take(&mut share));
            room = most;
        }
    }
    if !share.is_empty() {
        shares.push(share);
    }
    shares
}

fn points(metric: &Metric) -> usize {
    match &metric.data {
        Some(Data::Gauge(gauge)) => gauge.data_points.len(),
        Some(Data::Sum(sum)) => sum.data_points.len(),
        Some(Data::Histogram(histogram)) => histogram.data_points.len(),
        None => 0,
    }
}

/// Takes the data points from this one on out of a metric, as another one that is otherwise equal.
fn split_off(metric: &mut Metric, at: usize) -> Metric {
    let data = metric.data.as_mut().map(|data| match data {
        Data::Gauge(Gauge { data_points }) => Data::Gauge(Gauge { data_points: data_points.split_off(at) }),
        Data::Sum(Sum { data_points, aggregation_temporality, is_monotonic }) => Data::Sum(Sum {
            data_points: data_points.split_off(at),
            aggregation_temporality: *aggregation_temporality,
            is_monotonic: *is_monotonic,
        }),
        Data::Histogram(Histogram { data_points, aggregation_temporality }) => Data::Histogram(Histogram {
            data_points: data_points.split_off(at),
            aggregation_temporality: *aggregation_temporality,
        }),
    });
    let Metric { name, description, unit, data: _ } = &*metric;
    Metric { name: name.clone(), description: description.clone(), unit: unit.clone(), data }
}

#[cfg(test)]
mod tests {
    use super::{super::proto::NumberDataPoint, *};

    fn sum(name: &str, points: u64) -> Metric {
        let point = |number| NumberDataPoint { time_unix_nano: number, ..NumberDataPoint::default() };
        let data =
            Sum { data_points: (0..points).map(point).collect(), is_monotonic: true, ..Sum::default() };
        Metric {
            name: name.to_owned(),
            unit: "By".to_owned(),
            data: Some(Data::Sum(data)),
            ..Metric::default()
        }
    }

    #[test]
    fn no_part_has_too_much_and_nothing_is_lost() {
        let metrics = vec![sum("a", 3), sum("b", 25), sum("c", 2), sum("d", 10)];
        let scope_metrics = vec![ScopeMetrics { metrics, ..ScopeMetrics::default() }];
        let whole = ResourceMetrics { scope_metrics, ..ResourceMetrics::default() };
        let parts = parts(whole.clone(), 10);
        assert_eq!(parts.iter().map(count).collect::<Vec<_>>(), [10, 10, 10, 10]);
        let mut again: Vec<Metric> = Vec::new();
        for metric in parts.into_iter().flat_map(|part| part.scope_metrics).flat_map(|scope| scope.metrics) {
            match (again.last_mut(), &metric.data) {
                (Some(last), Some(Data::Sum(more))) if last.name == metric.name => {
                    let Some(Data::Sum(all)) = &mut last.data else { panic!("a sum") };
                    assert!(more.is_monotonic && metric.unit == "By");
                    all.data_points.extend(more.data_points.clone());
                }
                _ => again.push(metric),
            }
        }
        assert_eq!(again, whole.scope_metrics[0].metrics);
    }
}
