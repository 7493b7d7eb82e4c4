//! What a lesson shows, in words: the sentences a reader should take away, before any chart.

use crate::analysis::{Answer, Effect, Metric, Score};
use crate::comparison::Comparison;
use crate::format::{capitalized, count, fixed, list, percent, plural, points};
use crate::record::{LessonRecord, ModelRecord, TrialStatus};
use crate::statistics::sentence::Verdict;

const ONE_RUN: &str = "Each model ran once, and one run cannot tell an effect from noise. Ten runs of each (--seeds 10) \
     give every difference an interval.";

/// A running accuracy this far below the training accuracy is worth a sentence.
const NOTABLE_LAG: f64 = 0.01;

impl Answer {
    /// Says what `comparison`, which was made from `lesson`, shows.
    pub fn of(lesson: &LessonRecord, comparison: &Comparison) -> Self {
        let mut remarks = Vec::new();
        if comparison.repeated() {
            let shown = comparison.effects.iter().filter(|effect| effect.metric != Metric::Training);
            remarks.extend(shown.map(Effect::sentence));
        } else if !comparison.effects.is_empty() {
            remarks.push(ONE_RUN.to_owned());
        }
        remarks.extend(confounded(lesson));
        remarks.extend(comparison.scores.iter().filter_map(progress_bar));
        remarks.extend(lesson.models.iter().filter_map(equal_units));
        remarks.extend(lesson.models.iter().filter_map(unfinished));
        let headline =
            [scores(lesson, comparison), overfitting(comparison)].into_iter().flatten().collect::<Vec<_>>();
        Self { headline: headline.join(" "), remarks }
    }
}

fn scores(lesson: &LessonRecord, comparison: &Comparison) -> Option<String> {
    let scored = comparison.scores.iter().filter_map(|score| Some((&score.model, score.test?.mean)));
    let scored: Vec<String> = scored
        .enumerate()
        .map(|(i, (model, test))| format!("{model}{} {}", if i == 0 { " names" } else { "" }, percent(test)))
        .collect();
    if scored.is_empty() {
        return None;
    }
    let average = if comparison.repeated() { ", on average over the seeds" } else { "" };
    Some(format!(
        "After {} on {} pictures, {} of {} unseen pictures correctly{average}.",
        plural(lesson.epochs, "epoch"),
        count(lesson.dataset.train_count),
        list(&scored),
        count(lesson.dataset.test_count)
    ))
}

/// How overfitting compares: the gaps, who has the narrowest, and what it costs.
fn overfitting(comparison: &Comparison) -> Option<String> {
    let gaps: Vec<(&str, f64)> =
        comparison.scores.iter().filter_map(|score| Some((score.model.as_str(), score.gap?.mean))).collect();
    let (baseline, _) = gaps.first()?;
    let named: Vec<String> = gaps
        .iter()
        .enumerate()
        .map(|(i, (model, gap))| {
            format!("{}{} for {model}", fixed(100.0 * gap, 2), if i == 0 { " points" } else { "" })
        })
        .collect();
    let stated = format!("The gap between training and test accuracy is {}.", list(&named));
    let (narrowest, _) = gaps.iter().min_by(|a, b| a.1.total_cmp(&b.1))?;
    let judgement = match narrowest {
        _ if gaps.len() < 2 => return Some(stated),
        model if model == baseline => Some(format!("No other model overfits less than {baseline}.")),
        model => narrower(comparison, model),
    };
    Some([Some(stated), judgement].into_iter().flatten().collect::<Vec<_>>().join(" "))
}

/// The sentence about the model whose gap came out narrowest.
fn narrower(comparison: &Comparison, model: &str) -> Option<String> {
    let gap = comparison.effect(model, Metric::Gap)?;
    let (subject, baseline) = (capitalized(model), &gap.baseline);
    Some(match gap.verdict() {
        Verdict::NotFound => "These gaps cannot be told apart: no model overfits detectably less.".to_owned(),
        Verdict::Doubtful => format!("{subject} may overfit less than {baseline}, but that is not certain."),
        Verdict::Found => format!("{subject} overfits less than {baseline}, {}.", price(comparison, model)?),
        Verdict::OneRun => {
            format!(
                "In this one run of each, {model} overfits less than {baseline}, {}.",
                price(comparison, model)?
            )
        }
    })
}

/// What the narrowest gap costs on new pictures.
fn price(comparison: &Comparison, model: &str) -> Option<String> {
    let test = comparison.effect(model, Metric::Test)?;
    let (size, baseline) = (points(test.paired.mean), &test.baseline);
    let fits_less = comparison.effect(model, Metric::Training).is_some_and(|effect| effect.paired.mean < 0.0);
    Some(match test.verdict() {
        Verdict::NotFound | Verdict::Doubtful => {
            format!("and its test accuracy is not detectably different from {baseline}’s")
        }
        _ if test.paired.mean < 0.0 => format!(
            "but its test accuracy is {size} points lower{}",
            if fits_less {
                ": it learned less of the training pictures, not more about new ones"
            } else {
                ""
            }
        ),
        _ if test.paired.mean > 0.0 => format!("and its test accuracy is {size} points higher"),
        _ => "with the same test accuracy".to_owned(),
    })
}

/// A model that differs in several choices says nothing about any single one of them.
fn confounded(lesson: &LessonRecord) -> Option<String> {
    let baseline = &lesson.models.first()?.name;
    let several: Vec<String> = lesson
        .models
        .iter()
        .filter(|model| model.changed.len() > 1)
        .map(|model| model.name.clone())
        .collect();
    (!several.is_empty()).then(|| {
        format!(
            "More than one choice separates {} from {baseline}: the difference belongs to those choices together, \
             not to any one of them.",
            list(&several)
        )
    })
}

/// Keras's progress bar is not the training accuracy, least of all with dropout.
fn progress_bar(score: &Score) -> Option<String> {
    let (running, training) = (score.running?.mean, score.training?.mean);
    (training - running >= NOTABLE_LAG).then(|| {
        format!(
            "{}’s progress bar ended at {}, yet the finished network names {} of the same pictures correctly: \
             the bar averages over an epoch in which the weights still move and dropout is on.",
            capitalized(&score.model),
            percent(running),
            percent(training)
        )
    })
}

/// Hidden units that started equal and stayed so.
fn equal_units(model: &ModelRecord) -> Option<String> {
    let layers = &model.inspection.as_ref()?.layers;
    let (_, hidden) = layers.split_last()?;
    let layer =
        hidden.iter().find(|layer| layer.shape[1] > 1 && layer.distinct_after <= layer.shape[1] / 2)?;
    let (units, distinct) = (layer.shape[1], layer.distinct_after);
    let found = if distinct == 1 { "all the same".into() } else { format!("only {distinct} different ones") };
    Some(format!(
        "{} has hidden units that never become different: after training, the {units} units of layer {} are {found}. \
         Units that start equal get equal gradients, so they stay equal, and {units} of them know no more than {distinct}.",
        capitalized(&model.name),
        layer.layer
    ))
}

fn unfinished(model: &ModelRecord) -> Option<String> {
    let diverged: Vec<String> = model
        .trials
        .iter()
        .filter_map(|trial| match &trial.status {
            TrialStatus::Diverged { epoch, reason } => {
                Some(format!("seed {} in epoch {epoch} ({reason})", trial.seed))
            }
            _ => None,
        })
        .collect();
    (!diverged.is_empty()).then(|| {
        format!(
            "Training of {} diverged with {} of {}: {}. Its scores are those of the runs that finished.",
            model.name,
            diverged.len(),
            plural(model.trials.len(), "seed"),
            list(&diverged)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::LayerWeights;
    use crate::record::example::{lesson, trial};

    fn answer(lesson: &LessonRecord) -> Answer {
        Answer::of(lesson, &Comparison::of(lesson))
    }

    fn all(lesson: &LessonRecord) -> String {
        let answer = answer(lesson);
        format!("{} {}", answer.headline, answer.remarks.join(" "))
    }

    #[test]
    fn the_headline_names_scores_gaps_and_the_price() {
        let mut lesson = lesson(3, 10);
        for model in 0..3 {
            let (train, test) = [(0.996, 0.977), (0.996, 0.9772), (0.911, 0.909)][model];
            let name = lesson.models[model].name.clone();
            lesson.models[model].trials = [1, 2, 3]
                .map(|seed| {
                    trial(&name, seed, train + 0.0001 * seed as f64, test - 0.0001 * (seed % 2) as f64)
                })
                .to_vec();
        }
        let headline = answer(&lesson).headline;
        assert!(headline.contains("model 1 names 97.69%, model 2 97.71% and model 3 90.89%"), "{headline}");
        assert!(headline.contains("1.93 points for model 1"), "{headline}");
        assert!(headline.contains("Model 3 overfits less than model 1, but its test accuracy is 6.80 points lower: it learned less"), "{headline}");
    }

    #[test]
    fn one_run_of_each_is_not_called_an_effect() {
        let text = all(&lesson(1, 10));
        assert!(text.contains("In this one run of each"), "{text}");
        assert!(text.contains("one run cannot tell an effect from noise"), "{text}");
        assert!(!text.contains("95% interval"), "{text}");
    }

    #[test]
    fn equal_units_divergence_and_confounding_are_named() {
        let mut lesson = lesson(2, 4);
        let zeros = [0.0; 8];
        if let Some(inspection) = &mut lesson.models[1].inspection {
            inspection.layers = vec![
                LayerWeights::of("dense", 4, &zeros, &zeros),
                LayerWeights::of("dense_1", 2, &zeros, &zeros),
            ];
        }
        lesson.models[2].trials[1].status = TrialStatus::Diverged { epoch: 2, reason: "loss is NaN".into() };
        let text = all(&lesson);
        assert!(text.contains("Model 2 has hidden units that never become different"), "{text}");
        assert!(text.contains("the 4 units of layer dense are all the same"), "{text}");
        assert!(
            text.contains("model 3 diverged with 1 of 2 seeds: seed 2 in epoch 2 (loss is NaN)"),
            "{text}"
        );
        assert!(text.contains("More than one choice separates model 2 and model 3 from model 1"), "{text}");
    }

    #[test]
    fn an_empty_lesson_says_nothing() {
        let mut lesson = lesson(1, 1);
        lesson.models.iter_mut().for_each(|model| model.trials.clear());
        assert_eq!(answer(&lesson).headline, "");
    }
}
