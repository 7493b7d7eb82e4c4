//! Steps 1 to 10: what it runs on, the data, the three models, and how they are trained.

use super::super::data::shape;
use crate::terminal::Terminal;
use crate::terminal::picture;
use crate::terminal::table::table;
use seedbed::data::Pictures;
use seedbed::lab::format::{capitalized, count, list, percent, plural};
use seedbed::lab::lesson::{Lesson, LessonModel};
use seedbed::lab::record::Environment;

/// How many steps the lesson has.
const STEPS: usize = 12;

/// Writes a step's heading.
pub(super) fn step(terminal: &Terminal, number: usize, title: &str) -> anyhow::Result<()> {
    terminal.heading(&format!("Step {number} of {STEPS}: {title}"))
}

/// Tells everything that comes before training.
pub(super) fn tell(lesson: &Lesson<'_>, terminal: &Terminal) -> anyhow::Result<()> {
    terminal.title("What does a training choice really do?")?;
    terminal.paragraph(
        "Three networks learn the same pictures. They differ in how their weights start, in dropout and in their \
         optimizer. In the end we compare how well they know the pictures they learned from, and pictures they never \
         saw.",
    )?;
    ground(lesson, terminal)?;
    data(lesson, terminal)?;
    pictures(lesson, terminal)?;
    models(lesson, terminal)?;
    compile(lesson, terminal)?;
    step(terminal, 11, "fit")?;
    terminal.paragraph(&fit(lesson))
}

fn ground(lesson: &Lesson<'_>, terminal: &Terminal) -> anyhow::Result<()> {
    let here = Environment::detect(lesson.threads, &lesson.started);
    let dataset = &lesson.loaded.dataset;
    step(terminal, 1, "what it runs on")?;
    let machine =
        [here.cpu, here.os].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(", ");
    let threads = plural(here.threads, "thread");
    terminal.lines(&format!(
        "program   Seedbed {}, {threads}, {} instructions",
        here.seedbed_version, here.simd
    ))?;
    terminal.lines(&format!("machine   {machine}"))?;
    terminal.lines(&format!("data      {}, from {}", dataset.title, dataset.source))?;
    terminal.lines(&format!("seed      {}", lesson.options.seed))?;
    terminal.paragraph(
        "Everything random (first weights, order of the pictures, dropout) is drawn from the seed: with the same seed \
         you get the same numbers again.",
    )
}

fn data(lesson: &Lesson<'_>, terminal: &Terminal) -> anyhow::Result<()> {
    let dataset = &lesson.loaded.dataset;
    step(terminal, 2, &format!("load {}", dataset.title))?;
    terminal.paragraph(&format!(
        "The data are four arrays. The networks learn from train_images and train_labels; test_images and test_labels \
         are kept for the examination at the end. A label is the number of a class; {}.",
        classes(&dataset.class_names)
    ))?;
    step(terminal, 3, "their shapes")?;
    terminal.lines(&format!(
        "train_images.shape  {}\nlen(train_labels)   {}\ntrain_labels        {}\ntest_images.shape   {}\nlen(test_labels)    {}",
        shape(&dataset.train),
        dataset.train.count,
        labels(&dataset.train.labels),
        shape(&dataset.test),
        dataset.test.count,
    ))?;
    terminal.paragraph(&format!(
        "That is {} {2}s to learn from and {} to be tested on, each of {3}.",
        count(dataset.train.count),
        count(dataset.test.count),
        sample_word(&dataset.train),
        size(&dataset.train),
    ))?;
    match lesson.options.train_size {
        Some(used) => {
            let whole = sample_word(&dataset.train);
            terminal.paragraph(&format!("Of the {whole}s to learn from, the first {} are used.", count(used)))
        }
        None => Ok(()),
    }
}

/// The classes by name, or how many they are.
fn classes(names: &[String]) -> String {
    match names.len() {
        0..=20 => format!("the classes are {}", list(names)),
        many => format!("there are {} classes, from {} to {}", count(many), names[0], names[many - 1]),
    }
}

/// What a sample is called.
fn sample_word(part: &Pictures) -> &'static str {
    if part.axes().len() == 1 { "sample" } else { "picture" }
}

/// What a sample consists of.
fn size(part: &Pictures) -> String {
    match part.axes()[..] {
        [numbers] => plural(numbers, "number"),
        [height, width] => format!("{height}×{width} pixels"),
        _ => format!("{}×{} pixels of {} values", part.height, part.width, part.channels),
    }
}

/// The first and the last three, as NumPy prints a long array.
fn labels(labels: &[u16]) -> String {
    let words = |labels: &[u16]| labels.iter().map(u16::to_string).collect::<Vec<_>>().join(" ");
    if labels.len() <= 6 {
        return format!("[{}]", words(labels));
    }
    format!("[{} ... {}]", words(&labels[..3]), words(&labels[labels.len() - 3..]))
}

fn pictures(lesson: &Lesson<'_>, terminal: &Terminal) -> anyhow::Result<()> {
    let dataset = &lesson.loaded.dataset;
    let (train, name) = (&dataset.train, &dataset.class_names[usize::from(dataset.train.labels[0])]);
    let whole = sample_word(train);
    step(terminal, 4, &format!("the first {whole}, before normalization"))?;
    let are = match (&train.numbers, train.channels) {
        (Some(_), _) => "Its numbers are",
        (None, 1) => "Every pixel is a whole number from 0 to 255",
        (None, _) => "Every pixel is red, green and blue, each a whole number from 0 to 255",
    };
    terminal.paragraph(&format!("It is labelled {name}. {are}:"))?;
    terminal.lines("")?;
    match train.axes()[..] {
        [_] => terminal.paragraph(&numbers(train))?,
        _ => terminal.lines(&picture::large(train, 0, terminal.color()).join("\n"))?,
    }
    step(terminal, 5, "normalization")?;
    let done = match (&train.numbers, whole) {
        (None, _) => "Every pixel is divided by 255, so that the networks see numbers from 0 to 1.",
        (Some(_), "picture") => "The numbers are scaled so that the training pictures' lie between 0 and 1.",
        (Some(_), _) => "Every column is scaled so that the training samples' numbers lie between 0 and 1.",
    };
    terminal.paragraph(&format!(
        "{done} Inputs of moderate size give gradients of moderate size, and the optimizers' usual step sizes fit them."
    ))?;
    if whole == "sample" {
        return step(terminal, 6, "no pictures: these samples are rows of numbers");
    }
    step(terminal, 6, &format!("the first {} with their labels", plural(train.count.min(25), "picture")))?;
    terminal.lines("")?;
    terminal.lines(&picture::first_25(dataset, terminal.color()).join("\n"))
}

/// The first sample's numbers.
fn numbers(train: &Pictures) -> String {
    let shown = train.width.min(20);
    let number = |index: usize| match &train.numbers {
        Some(numbers) => numbers[index].to_string(),
        None => train.pixels[index].to_string(),
    };
    let more = if train.width > shown { " …" } else { "" };
    format!("[{}{more}]", (0..shown).map(number).collect::<Vec<_>>().join(" "))
}

fn models(lesson: &Lesson<'_>, terminal: &Terminal) -> anyhow::Result<()> {
    let [first, second, third] = lesson.models else { return Ok(()) };
    let (train, classes) = (&lesson.loaded.dataset.train, lesson.loaded.dataset.class_names.len());
    let hidden = lesson.options.hidden;
    step(terminal, 7, "model 1, the baseline")?;
    terminal.paragraph(&format!(
        "Flatten lays the {} out in one row of {1}. The first Dense layer has {hidden} units: each weighs all {1} \
         numbers, adds a bias, and passes the sum on if it is positive (relu). The last layer has one unit per class; \
         softmax makes probabilities of their {classes} sums.",
        size(train),
        train.picture_size(),
    ))?;
    summary(first, terminal)?;
    step(terminal, 8, "model 2, other first weights")?;
    let start = second.choices.initializer.name();
    terminal.paragraph(&format!(
        "The same layers, but the weights are drawn by {start}; model 1 has Keras's default, {}.{}{}",
        first.choices.initializer.name(),
        if start == "zeros" { " All zeros: watch what becomes of that." } else { "" },
        penalty(second),
    ))?;
    step(terminal, 9, "model 3, with dropout")?;
    terminal.paragraph(&format!(
        "Model 2 with a Dropout layer between its two Dense layers. While it learns, {} of the hidden units, others in \
         every step, are switched off, so that no unit can rely on another. When it is tested, all take part.",
        percent_short(lesson.options.dropout)
    ))?;
    summary(third, terminal)
}

fn penalty(model: &LessonModel) -> String {
    let words = model.choices.regularizer_words();
    words.map_or_else(String::new, |words| {
        format!(" Large weights cost something: a penalty ({words}) is added to the loss of models 2 and 3.")
    })
}

/// "50%", not "50.00%".
fn percent_short(share: f64) -> String {
    percent(share).replace(".00%", "%")
}

fn summary(model: &LessonModel, terminal: &Terminal) -> anyhow::Result<()> {
    terminal.lines(&model.recipe.model.summary()?.to_string())
}

fn compile(lesson: &Lesson<'_>, terminal: &Terminal) -> anyhow::Result<()> {
    step(terminal, 10, "compile")?;
    terminal.paragraph(
        "The loss says how wrong a network is; a crossentropy is large where the right class got little probability. \
         The optimizer is the rule by which weights move to make the loss smaller. The metric, accuracy, is the share \
         of pictures whose most probable class is the right one.",
    )?;
    let row = |model: &LessonModel| {
        vec![
            model.name.clone(),
            model.choices.optimizer.name().to_owned(),
            model.choices.optimizer.learning_rate.to_string(),
            model.choices.loss.name().to_owned(),
            "accuracy".to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = lesson.models.iter().map(row).collect();
    terminal.lines(&table(&["model", "optimizer", "learning rate", "loss", "metric"], &rows))
}

fn fit(lesson: &Lesson<'_>) -> String {
    let options = lesson.options;
    let pictures = options.train_size.unwrap_or(lesson.loaded.dataset.train.count);
    let seeds = if options.seeds == 1 {
        String::new()
    } else {
        format!(" Every model is trained with the same {}.", plural(options.seeds, "seed"))
    };
    format!(
        "{} of {} each: in every step a model sees {}, and its weights move a little.{seeds}",
        capitalized(&plural(options.epochs, "epoch")),
        plural(pictures.div_ceil(options.batch_size), "step"),
        plural(options.batch_size.min(pictures), "picture"),
    )
}
