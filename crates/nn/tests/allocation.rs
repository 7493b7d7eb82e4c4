//! Training allocates nothing from its second batch on: counted by an allocator of this test's own.
//!
//! One test only: the counter sees every thread of the process. The thread that waits for the test
//! is one of them, so what is found once may be its own; what training allocates is found every time.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use seedbed_nn::callbacks::Progress;
use seedbed_nn::prelude::*;
use std::alloc::{GlobalAlloc, Layout, System};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: hands everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::SeqCst);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::SeqCst);
        // SAFETY: as the caller promises.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Reads the counter after the first batch of an epoch and after its last.
#[derive(Default)]
struct Watch {
    first: usize,
    last: usize,
    batches: usize,
}

impl Callback for Watch {
    fn on_batch_end(&mut self, at: Progress, _: &seedbed_nn::Score) -> ControlFlow<()> {
        let count = ALLOCATIONS.load(Ordering::SeqCst);
        if at.batch == 1 {
            self.first = count;
        }
        (self.last, self.batches) = (count, at.batch);
        ControlFlow::Continue(())
    }
}

/// Every kind of layer, fused and alone, with penalties and masks; `pictures` for layers that keep the input from
/// standing as lists.
fn model(pictures: bool) -> Sequential {
    let penalty = Regularizer::l1_l2(1e-5, 1e-4);
    let input = Sequential::new([8, 8]).add(Reshape::new([8, 8, 1]));
    let input = if pictures {
        input
            .add(RandomRotation::new(0.1))
            .add(RandomErasing::new())
            .add(NormalizationLayer::new())
            .add(BatchNormalization::new().axis(1))
    } else {
        input
    };
    input
        .add(Flatten::new())
        .add(
            Dense::new(40).activation(Activation::Relu).kernel_regularizer(penalty).bias_regularizer(penalty),
        )
        .add(Dropout::new(0.5))
        .add(Rescaling::new(0.9, 0.1))
        .add(Dense::new(24).activation(Activation::Gelu { approximate: false }))
        .add(ActivationLayer::new(Activation::Softmax))
        .add(Reshape::new([2, 3, 4]))
        .add(GroupNormalization::new().groups(2))
        .add(PReLU::new().shared_axes([1, 2]))
        .add(Softmax::new().axis(1))
        .add(SpatialDropout2D::new(0.2))
        .add(Flatten::new())
        .add(GaussianNoise::new(0.1))
        .add(Dropout::new(0.1))
        .add(Dense::new(10).activation(Activation::Softmax))
}

/// How many there are between the first batch and the last.
fn allocations(pictures: bool, examples: &Examples<'_>, compile: Compile) -> usize {
    let mut model = model(pictures).compile(compile).unwrap();
    let mut watch = Watch::default();
    model.fit(examples, Fit::new().batch_size(7).callback(&mut watch)).unwrap();
    assert_eq!(watch.batches, 15);
    watch.last - watch.first
}

#[test]
fn training_allocates_nothing_after_its_first_batch() {
    let mut optimizers: Vec<Optimizer> = Optimizer::NAMES.map(|name| name.parse().unwrap()).to_vec();
    optimizers.push(Sgd { momentum: 0.9, nesterov: true }.into());
    optimizers.push(RmsProp { momentum: 0.5, centered: true, ..RmsProp::default() }.into());
    optimizers.push(Adam { amsgrad: true, ..Adam::default() }.into());
    let apart = Optimizer::new(Sgd::default()).global_clipnorm(1.0).gradient_accumulation_steps(2);
    optimizers.push(apart.ema(0.9, Some(2)));
    let losses: [Loss; 4] = [
        SparseCategoricalCrossentropy::default().into(),
        CategoricalCrossentropy { from_logits: false, label_smoothing: 0.1 }.into(),
        MeanSquaredError::default().into(),
        Dice::default().into(),
    ];
    let labels: Vec<u16> = (0..100).map(|n| n % 10).collect();
    for (what, density) in [("sparse", 5), ("dense", 1)] {
        let pixels: Vec<u8> =
            (0..6400).map(|i| if i % density == 0 { (i % 251) as u8 + 1 } else { 0 }).collect();
        let table = Normalization::Unit.table(&pixels);
        let examples = Examples::pictures([8, 8], &pixels, table, &labels).unwrap();
        for threads in [1, 2] {
            for (optimizer, loss) in
                optimizers.iter().flat_map(|o| losses.iter().map(move |l| (o.clone(), *l)))
            {
                let metrics =
                    ["auc", "precision", "f1_score", "top_k_categorical_accuracy", "mean_absolute_error"];
                let metrics = metrics.map(|name| name.parse::<Metric>().unwrap());
                let compile = Compile::new(optimizer.clone(), loss)
                    .metrics(metrics)
                    .threads(NonZeroUsize::new(threads).unwrap());
                let free = (0..5).any(|_| allocations(density == 1, &examples, compile.clone()) == 0);
                assert!(free, "{} with {}, {what}, {threads} threads", optimizer.name(), loss.name());
            }
        }
    }
}
