//! Numbers as the dashboard shows them (web/src/model/units.ts), so that both speak alike.

/// What stands where nothing was measured.
pub(super) const NONE: &str = "–";

/// What stands for a number that may not have been measured.
pub(super) fn or_none(value: Option<f64>, show: fn(f64) -> String) -> String {
    value.filter(|value| value.is_finite()).map_or_else(|| NONE.to_owned(), show)
}

/// Three significant digits, and no more than are known of small numbers.
fn significant(value: f64) -> String {
    match value.abs() {
        99.95.. => format!("{value:.0}"),
        9.995.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// A number of things: whole below 1 000 if it is whole.
pub(super) fn count(value: f64) -> String {
    let size = value.abs();
    if size < 999.5 {
        return if value.fract() == 0.0 { format!("{value:.0}") } else { significant(value) };
    }
    for (unit, letter) in [(1e3, 'k'), (1e6, 'M'), (1e9, 'G')] {
        if size < unit * 999.5 {
            return significant(value / unit) + &letter.to_string();
        }
    }
    significant(value / 1e12) + "T"
}

/// A size in the largest unit that it fills.
pub(super) fn bytes(value: f64) -> String {
    if value.abs() < 1023.5 {
        return format!("{value:.0} B");
    }
    let mut size = value / 1024.0;
    for unit in ["KiB", "MiB", "GiB"] {
        if size.abs() < 999.5 {
            return format!("{} {unit}", significant(size));
        }
        size /= 1024.0;
    }
    format!("{} TiB", significant(size))
}

/// Nanoseconds.
pub(super) fn duration(ns: f64) -> String {
    match ns.abs() {
        0.0 => "0 s".to_owned(),
        ..999.5 => format!("{ns:.0} ns"),
        ..999.5e3 => format!("{} µs", significant(ns / 1e3)),
        ..999.5e6 => format!("{} ms", significant(ns / 1e6)),
        ..120e9 => format!("{} s", significant(ns / 1e9)),
        _ => span(ns / 1e9),
    }
}

/// Seconds, as how long something lasts: `2 min`, `3 h 20 min`.
pub(super) fn span(seconds: f64) -> String {
    let whole = seconds.round();
    if whole < 120.0 {
        return format!("{whole:.0} s");
    }
    let minutes = (seconds / 60.0).round();
    if minutes < 120.0 {
        return format!("{minutes:.0} min");
    }
    let (hours, rest) = ((minutes / 60.0).floor(), minutes % 60.0);
    match () {
        () if hours >= 48.0 => format!("{:.0} d {:.0} h", (hours / 24.0).floor(), hours % 24.0),
        () if rest == 0.0 => format!("{hours:.0} h"),
        () => format!("{hours:.0} h {rest:.0} min"),
    }
}

/// A number of CPUs.
pub(super) fn cores(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        ..0.0995 => format!("{value:.3}"),
        ..9.995 => format!("{value:.2}"),
        _ => format!("{value:.1}"),
    }
}

/// A share of a hundred.
pub(super) fn percent(value: f64) -> String {
    match value.abs() {
        0.0 => "0 %".to_owned(),
        ..0.095 => format!("{value:.2} %"),
        ..99.95 => format!("{value:.1} %"),
        _ => format!("{value:.0} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cases of web/src/model/units.test.ts.
    #[test]
    fn numbers_are_shown_as_in_the_dashboard() {
        let counts = [
            (0.0, "0"),
            (7.0, "7"),
            (999.0, "999"),
            (0.25, "0.25"),
            (12.345, "12.3"),
            (999.7, "1.00k"),
            (1000.0, "1.00k"),
            (39_700.0, "39.7k"),
            (999_600.0, "1.00M"),
            (1e15, "1000T"),
        ];
        for (value, text) in counts {
            assert_eq!(count(value), text);
        }
        let sizes = [
            (0.0, "0 B"),
            (1023.0, "1023 B"),
            (1024.0, "1.00 KiB"),
            (1_024_000.0, "0.98 MiB"),
            (1_572_864.0, "1.50 MiB"),
            (8_589_934_592.0, "8.00 GiB"),
            (-2048.0, "-2.00 KiB"),
        ];
        for (value, text) in sizes {
            assert_eq!(bytes(value), text);
        }
        let durations = [
            (0.0, "0 s"),
            (15.0, "15 ns"),
            (15_000.0, "15.0 µs"),
            (6_800_000.0, "6.80 ms"),
            (1_500_000_000.0, "1.50 s"),
            (180e9, "3 min"),
        ];
        for (value, text) in durations {
            assert_eq!(duration(value), text);
        }
        assert_eq!(cores(0.0042), "0.004");
        assert_eq!(cores(0.947), "0.95");
        assert_eq!(cores(12.34), "12.3");
        assert_eq!(percent(0.04), "0.04 %");
        assert_eq!(percent(100.0), "100 %");
        assert_eq!(span(12_000.0), "3 h 20 min");
        assert_eq!(span(200_000.0), "2 d 7 h");
        assert_eq!(or_none(None, bytes), "–");
    }
}
