//! The plain meaning of functions of a row.

use super::Values;
use crate::lane::Lane;
use crate::ops::Rowwise;

impl<R: Lane + PartialOrd> Values<'_, R> {
    pub(super) fn rowwise(&mut self, op: Rowwise) {
        let (to, values): (_, Vec<R>) = match op {
            Rowwise::Value { f, x, out } => {
                let rows = self.get(x).chunks(self.width(x));
                (out, rows.flat_map(|x| filled(self.width(out), |y| f.value(x, y))).collect())
            }
            Rowwise::Gradient { f, v, dy, dx } => {
                let rows = self.get(v).chunks(self.width(v)).zip(self.get(dy).chunks(self.width(dy)));
                let of = |(v, dy)| filled(self.width(dx), |dx| f.gradient(v, dy, dx));
                (dx, rows.flat_map(of).collect())
            }
        };
        self.all.insert(to, values);
    }
}

fn filled<R: Lane>(width: usize, write: impl FnOnce(&mut [R])) -> Vec<R> {
    let mut row = vec![R::lit(0.0); width];
    write(&mut row);
    row
}
