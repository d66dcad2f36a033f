use super::*;
use crate::model::{Host, Measurements, testing::container};

fn using(name: &str, usage_cores: Option<f64>) -> Container {
    let mut made = container(name);
    made.name = Some(name.to_owned());
    made.measurements = Measurements::default();
    made.measurements.cpu.usage_cores = usage_cores;
    made
}

fn thresholds(warning: &str, critical: &str) -> Thresholds {
    let range = |text: &str| (!text.is_empty()).then(|| text.parse().unwrap());
    Thresholds { warning: range(warning), critical: range(critical) }
}

fn of_cores(containers: Vec<Container>, warning: &str, critical: &str) -> (u8, String) {
    let name = "cpu.usage_cores".to_owned();
    let figure = ContainerFigure::named(&name).unwrap();
    let question = Question::OfContainers(name, figure);
    let verdict = judge(&question, &thresholds(warning, critical), Ok(Found::Containers(containers)));
    (verdict.status.code(), verdict.line)
}

#[test]
fn one_container_is_judged_by_the_worse_range() {
    for (value, code, line) in [
        (0.25, 0, "MONITOR OK: web cpu.usage_cores is 0.25 | 'cpu.usage_cores'=0.25;0.5;1;;"),
        (
            0.75,
            1,
            "MONITOR WARNING: web cpu.usage_cores is 0.75, which 0.5 alerts at | 'cpu.usage_cores'=0.75;0.5;1;;",
        ),
        (
            1.5,
            2,
            "MONITOR CRITICAL: web cpu.usage_cores is 1.5, which 1 alerts at | 'cpu.usage_cores'=1.5;0.5;1;;",
        ),
    ] {
        assert_eq!(of_cores(vec![using("web", Some(value))], "0.5", "1"), (code, line.to_owned()));
    }
}

#[test]
fn what_was_not_measured_is_unknown_and_no_zero() {
    let (code, line) = of_cores(vec![using("web", None)], "0:1", "");
    assert_eq!(code, 3);
    assert_eq!(line, "MONITOR UNKNOWN: web cpu.usage_cores was not measured | 'cpu.usage_cores'=U;1;;;");
}

#[test]
fn the_worst_of_several_counts() {
    let three = || vec![using("a", Some(0.1)), using("b", Some(2.0)), using("c", None)];
    let (code, line) = of_cores(three(), "", "1");
    assert_eq!(code, 2);
    assert!(
        line.starts_with("MONITOR CRITICAL: 1 of 3: b cpu.usage_cores is 2, which 1 alerts at | "),
        "{line}"
    );
    assert!(
        line.contains("'a cpu.usage_cores'=0.1;;1;; 'b cpu.usage_cores'=2;;1;; 'c cpu.usage_cores'=U;;1;;")
    );
    assert_eq!(of_cores(three(), "", "5").0, 3);
    assert_eq!(of_cores(three()[..2].to_vec(), "", "5").0, 0);
    assert_eq!(of_cores(vec![], "", "5").0, 3);
}

#[test]
fn states_are_judged_without_ranges() {
    let state = |found| {
        let verdict = judge(&Question::State, &Thresholds::default(), found);
        (verdict.status.code(), verdict.line)
    };
    let mut ended = container("a");
    ended.state = ContainerState::Exited;
    ended.exit_code = Some(137);
    assert_eq!(
        state(Ok(Found::Containers(vec![container("b"), ended]))),
        (2, "MONITOR CRITICAL: 1 of 2: c-a has ended with 137".to_owned())
    );
    assert_eq!(state(Ok(Found::Containers(vec![container("b")]))), (0, "MONITOR OK: c-b runs".to_owned()));
    assert_eq!(state(Err(TargetError::Container("no container is called x".to_owned()))).0, 2);
    assert_eq!(state(Ok(Found::Host(Box::default()))).0, 0);
}

#[test]
fn a_missing_container_has_no_value() {
    let question =
        Question::OfContainers("pids.current".to_owned(), ContainerFigure::named("pids.current").unwrap());
    let missing = Err(TargetError::Container("no container is called x".to_owned()));
    let verdict = judge(&question, &Thresholds::default(), missing);
    assert_eq!(verdict.line, "MONITOR UNKNOWN: no container is called x");
    assert_eq!(verdict.status, Status::Unknown);
}

#[test]
fn the_machine_is_judged_part_by_part() {
    let name = "memory.available_bytes".to_owned();
    let question = Question::OfHost(name.clone(), HostFigure::named(&name).unwrap());
    let mut host = Host::default();
    host.totals.memory.available_bytes = Some(1000);
    let verdict = judge(&question, &thresholds("2000:", ""), Ok(Found::Host(Box::new(host))));
    let line = "MONITOR WARNING: memory.available_bytes is 1000, which 2000: alerts at \
                | 'memory.available_bytes'=1000B;2000:;;;";
    assert_eq!(verdict.line, line);
}

#[test]
fn the_line_stays_one_line() {
    let verdict = Verdict::unknown("a | b\nc");
    assert_eq!(verdict.line, "MONITOR UNKNOWN: a / b c");
    let odd = data("it's=x", Some(f64::INFINITY), Unit::Bytes, &Thresholds::default());
    assert_eq!(odd, "'it''s_x'=U;;;;");
}
