//! Weights of an equivalent PyTorch `nn.Sequential`, saved with safetensors: `0.weight`, `0.bias`, ….
//!
//! The i-th of its modules that has tensors belongs to the i-th layer that has variables; the numbers themselves may
//! differ, because there an activation is a module of its own. Layouts are turned into Keras's:
//!
//! | layer | PyTorch | Keras |
//! |---|---|---|
//! | Dense | `weight [out, in]` | `kernel [in, out]` |
//! | Conv2D | `weight [out, in/groups, h, w]` | `kernel [h, w, in/groups, out]` |
//! | DepthwiseConv2D | `weight [in·multiplier, 1, h, w]` | `kernel [h, w, in, multiplier]` |
//! | BatchNormalization | `weight, bias, running_mean, running_var` | `gamma, beta, moving_mean, moving_variance` |
//! | LayerNormalization, GroupNormalization | `weight, bias` | `gamma, beta` |
//! | RMSNormalization, PReLU | `weight` | `scale`, `alpha` |
//!
//! PyTorch flattens pictures channel by channel, Keras pixel by pixel: what follows a Flatten is reordered.

use super::weights::{Entry, Problem, Tensors, content};
use seedbed_nn::model::Model;
use seedbed_nn::ops::Param;

/// How PyTorch calls the variables of a module.
const TENSORS: [&str; 4] = ["weight", "bias", "running_mean", "running_var"];

/// A counter that only PyTorch keeps.
const COUNTER: &str = "num_batches_tracked";

/// Whether all tensors are named as PyTorch names those of an `nn.Sequential`.
pub(super) fn is_of_pytorch(entries: &[Entry]) -> bool {
    !entries.is_empty() && entries.iter().all(|entry| split(&entry.name).is_some())
}

/// `model.3.weight` as the module's number and the tensor's name.
fn split(name: &str) -> Option<(usize, &str)> {
    let (module, tensor) = name.rsplit_once('.')?;
    let number = module.rsplit('.').next()?.parse().ok()?;
    (TENSORS.contains(&tensor) || tensor == COUNTER).then_some((number, tensor))
}

/// The tensors of a PyTorch file under Keras's names and in Keras's shapes.
pub(super) struct PyTorch<T> {
    inner: T,
    entries: Vec<Entry>,
    views: Vec<(usize, View)>,
}

/// A tensor seen with the axes `dims`, which are to stand in another `order`.
#[derive(Clone, Debug, PartialEq)]
struct View {
    dims: Vec<usize>,
    order: Vec<usize>,
}

/// Matches modules with layers.
pub(super) fn open<T: Tensors>(inner: T, model: &Model) -> Result<PyTorch<T>, Problem> {
    let mut modules: Vec<usize> =
        inner.entries().iter().filter_map(|entry| Some(split(&entry.name)?.0)).collect();
    modules.sort_unstable();
    modules.dedup();
    let layers = layers(model)?;
    if modules.len() != layers.len() {
        let names = layers.iter().map(|layer| layer.name.as_str()).collect::<Vec<_>>().join(", ");
        let expected = format!("{} modules with weights, for {names}", layers.len());
        return content("PyTorch's nn.Sequential", expected, modules.len().to_string());
    }
    let (mut entries, mut views) = (Vec::new(), Vec::new());
    for (index, entry) in inner.entries().iter().enumerate() {
        let Some((number, tensor)) = split(&entry.name).filter(|(_, tensor)| *tensor != COUNTER) else {
            continue;
        };
        let layer = &layers[modules.partition_point(|&module| module < number)];
        let matched = layer.param(tensor).and_then(|param| Some((param, layer.view(param, &entry.shape)?)));
        let (name, shape, view) = match matched {
            Some((param, view)) => (param.name.clone(), param.spec.shape.clone(), view),
            None => (entry.name.clone(), entry.shape.clone(), View { dims: Vec::new(), order: Vec::new() }),
        };
        entries.push(Entry { name, dtype: entry.dtype.clone(), shape });
        views.push((index, view));
    }
    Ok(PyTorch { inner, entries, views })
}

impl<T: Tensors> Tensors for PyTorch<T> {
    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn values(&mut self, index: usize) -> Result<Vec<f32>, Problem> {
        let (inner, view) = &self.views[index];
        Ok(view.rearranged(&self.inner.values(*inner)?))
    }
}

/// A layer that has variables, and what stands before it.
struct Layer<'a> {
    name: String,
    class_name: &'static str,
    params: Vec<&'a Param>,
    /// `[height, width, channels]` of the picture that a Flatten before it laid out, if any.
    flattened: Option<[usize; 3]>,
}

fn layers(model: &Model) -> Result<Vec<Layer<'_>>, Problem> {
    let rows = model.sequential().summary().map(|summary| summary.rows).unwrap_or_default();
    let mut shape = model.sequential().input_shape.axes().to_vec();
    let mut flattened = None;
    let mut layers = Vec::new();
    for (index, row) in rows.into_iter().enumerate() {
        let params: Vec<&Param> = model.params().iter().filter(|param| param.layer == index).collect();
        match (row.class_name, shape.as_slice()) {
            ("Flatten", &[height, width, channels]) if channels > 1 => {
                flattened = Some([height, width, channels])
            }
            ("Reshape", _) => {
                return content(
                    row.name,
                    "no Reshape in a model with PyTorch's weights",
                    "one; its order would be unclear",
                );
            }
            _ => {}
        }
        if !params.is_empty() {
            layers.push(Layer { name: row.name, class_name: row.class_name, params, flattened });
        }
        if row.class_name == "Dense" {
            flattened = None;
        }
        shape = row.output_shape.axes().to_vec();
    }
    Ok(layers)
}

impl<'a> Layer<'a> {
    /// The variable that PyTorch calls `tensor`.
    fn param(&self, tensor: &str) -> Option<&'a Param> {
        let roles: &[&str] = match tensor {
            "weight" => &["kernel", "depthwise_kernel", "gamma", "scale", "alpha"],
            "bias" => &["bias", "beta"],
            "running_mean" => &["moving_mean"],
            _ => &["moving_variance"],
        };
        self.params.iter().find(|param| roles.contains(&param.spec.role)).copied()
    }

    /// How a tensor of the given shape becomes the variable; `None` where it cannot.
    fn view(&self, param: &Param, shape: &[usize]) -> Option<View> {
        let view = |dims: &[usize], order: &[usize]| View { dims: dims.to_vec(), order: order.to_vec() };
        let view = match (self.class_name, shape, self.flattened) {
            ("Dense", &[outputs, _], Some([h, w, c])) => view(&[outputs, c, h, w], &[2, 3, 1, 0]),
            ("Dense", &[outputs, inputs], None) => view(&[outputs, inputs], &[1, 0]),
            ("Conv2D", &[outputs, inputs, h, w], _) => view(&[outputs, inputs, h, w], &[2, 3, 1, 0]),
            ("DepthwiseConv2D", &[_, 1, h, w], _) => {
                let multiplier = *param.spec.shape.last()?;
                view(&[shape[0].checked_div(multiplier)?, multiplier, h, w], &[2, 3, 0, 1])
            }
            ("Dense" | "Conv2D" | "DepthwiseConv2D", &[outputs], _) => view(&[outputs], &[0]),
            (_, &[_], Some([h, w, c])) => view(&[c, h, w], &[1, 2, 0]),
            // One slope for all channels, or one for each of them at every pixel.
            ("PReLU", &[_], None) if param.spec.shape.len() > 1 => view(&[1, 1, shape[0]], &[0, 1, 2]),
            (_, &[count], None) => view(&[count], &[0]),
            _ => return None,
        };
        let numbers = |axes: &[usize]| axes.iter().try_fold(1_usize, |count, &axis| count.checked_mul(axis));
        let fits = numbers(&view.dims) == numbers(shape) && numbers(shape) == Some(param.count());
        fits.then_some(view)
    }
}

impl View {
    /// The numbers with the axes in the new order.
    fn rearranged(&self, values: &[f32]) -> Vec<f32> {
        let mut strides = vec![1; self.dims.len()];
        for axis in (1..self.dims.len()).rev() {
            strides[axis - 1] = strides[axis] * self.dims[axis];
        }
        (0..values.len())
            .map(|index| {
                let (mut rest, mut at) = (index, 0);
                for &axis in self.order.iter().rev() {
                    at += rest % self.dims[axis] * strides[axis];
                    rest /= self.dims[axis];
                }
                values[at]
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_are_reordered() {
        let numbers: Vec<f32> = (0..6).map(|i| i as f32).collect();
        let turned = View { dims: vec![2, 3], order: vec![1, 0] }.rearranged(&numbers);
        assert_eq!(turned, [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        let numbers: Vec<f32> = (0..24).map(|i| i as f32).collect();
        let turned = View { dims: vec![2, 3, 4], order: vec![1, 2, 0] }.rearranged(&numbers);
        assert_eq!(turned[..4], [0.0, 12.0, 1.0, 13.0]);
    }

    #[test]
    fn only_names_of_an_nn_sequential_are_taken_for_pytorchs() {
        assert_eq!(split("3.weight"), Some((3, "weight")));
        assert_eq!(split("model.12.running_var"), Some((12, "running_var")));
        assert!(
            ["dense/kernel", "fc1.weight", "0.kernel", "weight"].iter().all(|name| split(name).is_none())
        );
    }
}
