//! Samples, and what is told of them.

use serde::Serialize;

/// The order statistics of a series of samples. Nearest rank, so each is a value that was measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    /// How many samples.
    pub(crate) samples: usize,
    pub(crate) min: f64,
    pub(crate) p10: f64,
    pub(crate) median: f64,
    pub(crate) p90: f64,
    /// Only where there are a hundred samples: of fewer, it would be the largest.
    pub(crate) p99: Option<f64>,
    pub(crate) max: f64,
}

impl Spread {
    /// Of these samples; `None` where there are none.
    pub(crate) fn of(mut samples: Vec<f64>) -> Option<Spread> {
        samples.sort_by(f64::total_cmp);
        let (min, max) = (*samples.first()?, *samples.last()?);
        let at = |per_hundred: usize| rank(&samples, per_hundred).unwrap_or(max);
        Some(Spread {
            samples: samples.len(),
            min,
            p10: at(10),
            median: at(50),
            p90: at(90),
            p99: (samples.len() >= 100).then(|| at(99)),
            max,
        })
    }

    /// The same in another unit.
    pub(crate) fn scaled(self, factor: f64) -> Spread {
        Spread {
            samples: self.samples,
            min: self.min * factor,
            p10: self.p10 * factor,
            median: self.median * factor,
            p90: self.p90 * factor,
            p99: self.p99.map(|value| value * factor),
            max: self.max * factor,
        }
    }
}

/// The smallest sample that so many of a hundred do not exceed.
fn rank(sorted: &[f64], per_hundred: usize) -> Option<f64> {
    let place = (sorted.len() * per_hundred).div_ceil(100).max(1);
    sorted.get(place - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_those_of_the_definition() {
        let spread = Spread::of((1..=100).rev().map(f64::from).collect()).unwrap();
        let expected =
            Spread { samples: 100, min: 1.0, p10: 10.0, median: 50.0, p90: 90.0, p99: Some(99.0), max: 100.0 };
        assert_eq!(spread, expected);
        let few = Spread::of(vec![3.0, 1.0, 2.0]).unwrap();
        assert_eq!((few.p10, few.median, few.p90, few.p99), (1.0, 2.0, 3.0, None));
        assert_eq!(few.scaled(2.0).median, 4.0);
        assert_eq!(Spread::of(Vec::new()), None);
    }
}
