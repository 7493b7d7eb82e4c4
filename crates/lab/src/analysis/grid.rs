//! Grids: the share of the spread that each factor and each pair of factors makes.

use super::Metric;
use crate::record::{Design, StudyRecord, StudyTrial};
use crate::statistics::anova::{self, Anova, Classification};
use crate::statistics::summary::mean;
use serde::Serialize;

/// The analysis of variance of one metric. Terms name factors by their place in [`StudyRecord::factors`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GridAnova {
    /// What is taken apart.
    pub metric: Metric,
    /// Where its spread comes from; seeds are its blocks.
    pub anova: Anova,
}

/// One analysis per metric; empty unless the design is a grid or a part of one, and where too little was run.
pub(super) fn anova(study: &StudyRecord, main: &[Vec<&StudyTrial>]) -> Vec<GridAnova> {
    let pairs = match study.design {
        Design::Grid => true,
        Design::Fractional => false,
        Design::OneAtATime | Design::Random | Design::QuasiRandom => return Vec::new(),
    };
    let of = |metric: Metric| {
        let rows: Vec<(f64, usize, usize)> = main
            .iter()
            .flatten()
            .filter_map(|trial| {
                let seed = study.seeds.iter().position(|&seed| seed == trial.seed)?;
                Some((metric.of(&trial.trial)?, trial.variant, seed))
            })
            .collect();
        let values: Vec<f64> = rows.iter().map(|row| row.0).collect();
        let level = |factor: usize| rows.iter().map(|row| study.variants[row.1].levels[factor]).collect();
        let factors: Vec<Vec<usize>> = (0..study.factors.len()).map(level).collect();
        let seeds: Vec<usize> = rows.iter().map(|row| row.2).collect();
        let block = (study.seeds.len() > 1).then_some(seeds.as_slice());
        let anova = anova::of(&values, Classification { factors: &factors, block, pairs })?;
        Some(GridAnova { metric, anova })
    };
    Metric::ALL.into_iter().filter_map(of).collect()
}

/// The mean of a metric at every combination of two factors' levels, averaged over everything else that was run there:
/// `[levels of a][levels of b]`; `None` where nothing finished.
pub fn cell_means(study: &StudyRecord, metric: Metric, a: usize, b: usize) -> Vec<Vec<Option<f64>>> {
    let (rows, columns) = (study.factors[a].levels.len(), study.factors[b].levels.len());
    let mut cells = vec![vec![Vec::new(); columns]; rows];
    for trial in study.trials.iter().filter(|trial| trial.arm == crate::record::Arm::Main) {
        let levels = &study.variants[trial.variant].levels;
        if let Some(value) = metric.of(&trial.trial) {
            cells[levels[a]][levels[b]].push(value);
        }
    }
    cells.iter().map(|row| row.iter().map(|values| mean(values)).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::by_variant;
    use crate::record::example::study;

    #[test]
    fn a_grid_is_taken_apart_and_other_designs_are_not() {
        let mut study = study(6);
        assert!(anova(&study, &by_variant(&study)).is_empty());
        study.design = Design::Grid;
        let analyses = anova(&study, &by_variant(&study));
        let test = &analyses.iter().find(|of| of.metric == Metric::Test).unwrap().anova;
        assert_eq!(test.terms.iter().map(|term| term.factors.len()).collect::<Vec<_>>(), [1, 1, 2]);
        // Zeros are at chance: the initializer explains nearly everything that an unbalanced design can tell.
        assert!(test.terms[1].share > 0.8 && test.terms[2].freedom == 0 && test.block.is_some(), "{test:?}");
        let means = cell_means(&study, Metric::Test, 0, 1);
        assert!(means[0][2].unwrap() < 0.51 && means[1][0].unwrap() > 0.97 && means[2][2].is_none());
    }
}
