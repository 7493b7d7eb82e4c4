use seedbed_nn::prelude::*;
use std::num::NonZeroUsize;
use std::time::Instant;
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let t = Instant::now();
    let read = |n: &str| -> Vec<u8> { use std::io::Read; let mut v = vec![]; flate2::read::GzDecoder::new(std::fs::File::open(format!("/work/shared/data/mnist/{n}.gz")).unwrap()).read_to_end(&mut v).unwrap(); v };
    let x = read("train-images-idx3-ubyte")[16..].to_vec();
    let y: Vec<u16> = read("train-labels-idx1-ubyte")[8..].iter().map(|&b| b.into()).collect();
    let xt = read("t10k-images-idx3-ubyte")[16..].to_vec();
    let yt: Vec<u16> = read("t10k-labels-idx1-ubyte")[8..].iter().map(|&b| b.into()).collect();
    println!("load {:?}", t.elapsed());
    let arg = |i: usize, d: &str| std::env::args().nth(i).unwrap_or(d.into());
    let threads: usize = arg(1, "1").parse()?;
    let opt: Optimizer = arg(2, "adam").parse()?;
    let dropout: f64 = arg(3, "0").parse()?;
    let norm = if arg(4, "unit") == "standard" { Normalization::Standard } else { Normalization::Unit };
    let hidden: usize = arg(5, "128").parse()?;
    let batch: usize = arg(6, "32").parse()?;
    let train = Examples::pictures([28, 28], &x, norm.table(&x), &y)?;
    let test = Examples::pictures([28, 28], &xt, norm.table(&x), &yt)?;
    let mut s = Sequential::new([28, 28]).add(Flatten::new()).add(Dense::new(hidden).activation(Activation::Relu));
    if dropout > 0.0 { s = s.add(Dropout::new(dropout)); }
    let s = s.add(Dense::new(10).activation(Activation::Softmax));
    let mut m = s.compile(Compile::new(opt, "sparse_categorical_crossentropy".parse()?).threads(NonZeroUsize::new(threads).unwrap()))?;
    for _ in 0..5 {
        let t = Instant::now();
        let h = m.fit(&train, Fit::new().epochs(1).batch_size(batch))?;
        let e = t.elapsed();
        let t = Instant::now();
        let tr = m.evaluate(&train)?;
        let ev = t.elapsed();
        println!("epoch {:.1} ms acc {:.4} loss {:.4}; eval train {:.1} ms {:.4}, test {:.4}", e.as_secs_f64()*1e3, h.get("accuracy").unwrap()[0], h.get("loss").unwrap()[0], ev.as_secs_f64()*1e3, tr.accuracy(), m.evaluate(&test)?.accuracy());
    }
    Ok(())
}
