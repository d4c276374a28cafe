//! Figures for people to read.

/// A time with three digits that count.
pub(crate) fn seconds(seconds: f64) -> String {
    let (value, unit) = match seconds {
        s if s >= 0.9995 => (s, "s"),
        s if s >= 0.000_999_5 => (s * 1e3, "ms"),
        s => (s * 1e6, "µs"),
    };
    let decimals = match value {
        v if v >= 99.95 => 0,
        v if v >= 9.995 => 1,
        _ => 2,
    };
    format!("{value:.decimals$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        let cells = [0.000_05, 0.012_34, 1.234, 12.34].map(seconds);
        assert_eq!(cells, ["50.0 µs", "12.3 ms", "1.23 s", "12.3 s"]);
    }
}
