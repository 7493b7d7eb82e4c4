//! The lesson's first network: it learns what handwritten digits look like.

use seedbed::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let loaded = load_data("auto")?;
    let data = Prepared::new(&loaded.dataset, &DataRecipe::default())?;

    let model = Sequential::new([28, 28])
        .add(Flatten::new())
        .add(Dense::new(128).activation(Activation::Relu))
        .add(Dense::new(10).activation(Activation::Softmax));
    println!("{}", model.summary()?);

    let mut model =
        model.compile(Compile::new(Adam::default(), "sparse_categorical_crossentropy".parse()?))?;
    model.fit(data.train(), Fit::new().epochs(10).callback(&mut ProgressBar::new()))?;

    let score = model.evaluate(data.test())?;
    println!("{}: test accuracy {:.4}, loss {:.4}", loaded.dataset.title, score.accuracy(), score.loss());
    let probabilities = model.predict(&data.test().slice(0, 1))?;
    println!("The first test picture's classes: {probabilities:.3?}");
    Ok(())
}
