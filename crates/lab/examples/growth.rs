//! How the cost of an epoch grows, one size at a time from the lesson's model on: tables on stdout, and a plot.
//!
//! `SEEDBED_DATA=/folder/with/mnist cargo run --release -p seedbed-lab --example growth -- benches/growth.svg`

use maud::{Markup, PreEscaped, html};
use seedbed_data::{DataName, Dataset, Finder};
use seedbed_lab::bench::{Bench, Work};
use std::error::Error;
use std::num::NonZeroUsize;

/// What grows, through which sizes.
struct Axis {
    name: &'static str,
    sizes: &'static [usize],
    bench: fn(usize) -> Bench,
}

/// Enough that an epoch outlasts a clock's tick and little enough that all of it takes minutes.
const SAMPLES: usize = 10_000;
/// The middle one of so many epochs counts; the first, which lists the inputs, does not.
const EPOCHS: usize = 4;
const THREADS: [usize; 2] = [1, 2];

fn lesson(change: impl FnOnce(&mut Bench)) -> Bench {
    let mut bench = Bench { samples: SAMPLES, epochs: EPOCHS, ..Bench::default() };
    change(&mut bench);
    bench
}

const AXES: [Axis; 5] = [
    Axis {
        name: "width of the hidden layer",
        sizes: &[32, 64, 128, 256, 512, 1024, 2048, 4096],
        bench: |width| lesson(|bench| bench.hidden = Some(vec![width])),
    },
    Axis {
        name: "batch size",
        sizes: &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
        bench: |size| lesson(|bench| bench.batch_size = Some(size)),
    },
    Axis {
        name: "hidden layers of 128",
        sizes: &[1, 2, 4, 8, 16],
        bench: |depth| lesson(|bench| bench.hidden = Some(vec![128; depth])),
    },
    Axis {
        name: "training pictures",
        sizes: &[1_000, 3_000, 10_000, 30_000, 60_000],
        bench: |samples| lesson(|bench| bench.samples = samples),
    },
    Axis {
        name: "models at once",
        sizes: &[1, 2, 4, 8, 16],
        bench: |seeds| {
            lesson(|bench| {
                bench.work = Work::Study;
                bench.seeds = seeds as u64;
            })
        },
    },
];

/// Seconds an epoch, by threads and size.
type Curve = Vec<(usize, f64)>;

fn main() -> Result<(), Box<dyn Error>> {
    let path =
        std::env::args().nth(1).ok_or("expected the path of the plot to write, as in benches/growth.svg")?;
    let data = seedbed_data::load(&DataName::Mnist, &Finder::from_env(None), &mut |_| {})?.dataset;
    let mut panels = Vec::new();
    for axis in &AXES {
        let curves: Vec<Curve> =
            THREADS.iter().map(|&threads| curve(axis, threads, &data)).collect::<Result<_, _>>()?;
        table(axis, &curves);
        panels.push((axis, curves));
    }
    std::fs::write(path, plot(&panels).into_string())?;
    Ok(())
}

fn curve(axis: &Axis, threads: usize, data: &Dataset) -> Result<Curve, Box<dyn Error>> {
    axis.sizes
        .iter()
        .map(|&size| {
            let threads = NonZeroUsize::new(threads).ok_or("expected at least one thread")?;
            let mut seconds = Vec::new();
            Bench { threads, ..(axis.bench)(size) }.run(data, &mut |lap| seconds.push(lap.seconds))?;
            let mut counted = seconds.split_off(1);
            counted.sort_by(f64::total_cmp);
            Ok((size, counted[counted.len() / 2]))
        })
        .collect()
}

/// Milliseconds an epoch, and how many times the size before took.
fn table(axis: &Axis, curves: &[Curve]) {
    println!(
        "| {} | one thread, ms | × | two threads, ms | × | two against one |\n|--:|--:|--:|--:|--:|--:|",
        axis.name
    );
    for (i, size) in axis.sizes.iter().enumerate() {
        let cell = |curve: &Curve| {
            let times = if i == 0 { String::new() } else { format!("{:.2}", curve[i].1 / curve[i - 1].1) };
            format!("{:.1} | {times}", 1e3 * curve[i].1)
        };
        let gain = curves[0][i].1 / curves[1][i].1;
        println!("| {size} | {} | {} | {gain:.2} |", cell(&curves[0]), cell(&curves[1]));
    }
    println!();
}

const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 46.0;
const BOTTOM: f64 = 40.0;
const TOP: f64 = 14.0;
const COLOURS: [&str; 2] = ["#0072b2", "#d55e00"];

/// One small chart per axis, side by side, both scales logarithmic: a slope of one is a cost in proportion.
fn plot(panels: &[(&Axis, Vec<Curve>)]) -> Markup {
    let (columns, rows) = (3, panels.len().div_ceil(3));
    let (width, height) = (WIDTH * columns as f64, HEIGHT * rows as f64);
    html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (width) " " (height) }
            font-family="system-ui, sans-serif" font-size="11" fill="#333" {
            rect width=(width) height=(height) fill="#fff" {}
            @for (i, (axis, curves)) in panels.iter().enumerate() {
                g transform=(format!("translate({},{})", WIDTH * (i % columns) as f64, HEIGHT * (i / columns) as f64)) {
                    (panel(axis, curves))
                }
            }
            g transform=(format!("translate({},{})", width - WIDTH + LEFT, height - HEIGHT + TOP)) {
                @for (i, label) in ["one thread", "two threads"].into_iter().enumerate() {
                    (curve_line(&[(0.0, 20.0 * i as f64 + 8.0), (24.0, 20.0 * i as f64 + 8.0)], i))
                    text x="32" y=(20 * i + 12) { (label) }
                }
                text x="0" y="62" { "Both scales are logarithmic;" }
                text x="0" y="77" { "grey: cost in proportion to size." }
            }
        }
    }
}

fn panel(axis: &Axis, curves: &[Curve]) -> Markup {
    let values = || curves.iter().flatten().map(|(_, seconds)| 1e3 * seconds);
    let low = values().fold(f64::INFINITY, f64::min).log10().floor();
    let high = values().fold(0.0, f64::max).log10().ceil();
    let (first, last) = (axis.sizes[0] as f64, axis.sizes[axis.sizes.len() - 1] as f64);
    let x = |size: f64| LEFT + (WIDTH - LEFT - 14.0) * (size / first).log2() / (last / first).log2();
    let y = |ms: f64| HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * (ms.log10() - low) / (high - low);
    let start = curves[0][0].1 * 1e3;
    let end = (last / first).min(10f64.powf(high) / start);
    html! {
        @for power in low as i32..=high as i32 {
            @let at = y(10f64.powi(power));
            path d=(format!("M{LEFT} {at:.1}H{}", WIDTH - 14.0)) stroke="#ddd" {}
            text x=(LEFT - 6.0) y=(format!("{:.1}", at + 4.0)) text-anchor="end" { (10f64.powi(power)) }
        }
        path d=(format!("M{:.1} {:.1}L{:.1} {:.1}", x(first), y(start), x(first * end), y(start * end)))
            stroke="#bbb" stroke-dasharray="2 3" {}
        @for (i, size) in axis.sizes.iter().enumerate() {
            @if i % 2 == 0 || axis.sizes.len() < 7 {
                text x=(format!("{:.1}", x(*size as f64))) y=(HEIGHT - BOTTOM + 15.0) text-anchor="middle" { (size) }
            }
        }
        @for (i, curve) in curves.iter().enumerate() {
            (curve_line(&curve.iter().map(|&(size, s)| (x(size as f64), y(1e3 * s))).collect::<Vec<_>>(), i))
        }
        text x=(WIDTH - 14.0) y=(HEIGHT - 8.0) text-anchor="end" { (axis.name) }
        text x="4" y="10" { "ms an epoch" }
    }
}

/// A line with its marks: discs for one thread, squares for two.
fn curve_line(points: &[(f64, f64)], i: usize) -> Markup {
    let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
    let mark = |(x, y): &(f64, f64)| match i {
        0 => format!("<circle cx='{x:.1}' cy='{y:.1}' r='3'/>"),
        _ => format!("<rect x='{:.1}' y='{:.1}' width='5.6' height='5.6'/>", x - 2.8, y - 2.8),
    };
    html! {
        path d={ "M" (path.join("L")) } fill="none" stroke=(COLOURS[i]) stroke-width="1.6" {}
        g fill=(COLOURS[i]) { @for point in points { (PreEscaped(mark(point))) } }
    }
}
