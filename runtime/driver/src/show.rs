//! Values as text: literals of the language, arrays aligned in rows and shortened in the middle as
//! NumPy does. Numbers are the shortest decimals that read back to the same bits.

use we3_ir::Const;
use we3_ir::text::print_constant;

use crate::value::{HostArray, HostValue};

/// How much of an array is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ShowOptions {
    /// Arrays with more elements are shortened.
    pub threshold: usize,
    /// Elements kept at each end of a shortened axis.
    pub edge: usize,
    /// Rows wrap at this column.
    pub width: usize,
}

impl Default for ShowOptions {
    fn default() -> ShowOptions {
        ShowOptions { threshold: 1000, edge: 3, width: 100 }
    }
}

impl ShowOptions {
    /// Everything, on one line.
    pub fn whole() -> ShowOptions {
        ShowOptions { threshold: usize::MAX, edge: 3, width: usize::MAX }
    }
}

/// A value as a person reads it, without a line end.
pub fn show(value: &HostValue, options: ShowOptions) -> String {
    match value {
        HostValue::Scalar(constant) => show_scalar(*constant),
        HostValue::Array(array) => show_array(array, options),
        HostValue::Tuple(parts) => {
            let parts: Vec<String> = parts.iter().map(|part| show(part, options)).collect();
            join_parts(&parts, "(", if parts.len() == 1 { ",)" } else { ")" })
        }
        HostValue::Record { name, fields } => {
            let parts: Vec<String> =
                fields.iter().map(|(field, value)| format!("{field}: {}", show(value, options))).collect();
            join_parts(&parts, &format!("{name} {{ "), " }")
        }
    }
}

/// On one line when every part is on one, else one part a line.
fn join_parts(parts: &[String], open: &str, close: &str) -> String {
    if parts.iter().any(|part| part.contains('\n')) {
        let mut text = String::from(open.trim_end());
        for part in parts {
            text.push_str("\n  ");
            text.push_str(&part.replace('\n', "\n  "));
            text.push(',');
        }
        text.push('\n');
        text.push_str(close.trim().trim_start_matches(','));
        return text;
    }
    format!("{open}{}{close}", parts.join(", "))
}

/// One scalar; a NaN that is not the canonical one shows its bits.
pub fn show_scalar(constant: Const) -> String {
    print_constant(constant)
}

fn show_array(array: &HostArray, options: ShowOptions) -> String {
    // Before anything walks an axis: an empty array may have another axis of any size.
    if array.count() == 0 {
        let sizes: Vec<String> = array.sizes().iter().map(u64::to_string).collect();
        return if sizes.len() == 1 {
            String::from("[]")
        } else {
            format!("[] (sizes {})", sizes.join(" × "))
        };
    }
    let shorten = array.count() > options.threshold;
    let printer = Printer { array, options, shorten, cells: Cells::new(array, options, shorten) };
    let mut text = String::new();
    printer.axis(&mut text, 0, 0);
    text
}

/// The shown elements of one axis: numbers and, for what is left out, `None`.
fn shown(size: usize, shorten: bool, edge: usize) -> Vec<Option<usize>> {
    if !shorten || size <= 2 * edge {
        return (0..size).map(Some).collect();
    }
    (0..edge).map(Some).chain([None]).chain((size - edge..size).map(Some)).collect()
}

/// Widths that align the shown elements.
struct Cells {
    before: usize,
    after: usize,
    align: bool,
}

impl Cells {
    fn new(array: &HostArray, options: ShowOptions, shorten: bool) -> Cells {
        let align = matches!(array.elem(), crate::value::HostType::Scalar(_)) && options.width != usize::MAX;
        let mut cells = Cells { before: 0, after: 0, align };
        if align {
            let elem_is_float = array.layout().leaves.iter().all(|leaf| leaf.scalar.is_float());
            cells.measure(array, options, shorten, elem_is_float, 0, 0);
        }
        cells
    }

    fn measure(
        &mut self,
        array: &HostArray,
        options: ShowOptions,
        shorten: bool,
        split: bool,
        axis: usize,
        base: usize,
    ) {
        let size = array.sizes().get(axis).map_or(0, |size| *size as usize);
        for number in shown(size, shorten, options.edge).into_iter().flatten() {
            let position = base * size + number;
            if axis + 1 < array.sizes().len() {
                self.measure(array, options, shorten, split, axis + 1, position);
            } else {
                let (before, after) = halves(&show(&array.element(position), options), split);
                self.before = self.before.max(before);
                self.after = self.after.max(after);
            }
        }
    }

    fn pad(&self, text: String, split: bool) -> String {
        if !self.align {
            return text;
        }
        let (before, after) = halves(&text, split);
        let left = " ".repeat(self.before.saturating_sub(before));
        let right = " ".repeat(self.after.saturating_sub(after));
        format!("{left}{text}{right}")
    }
}

/// Characters before the decimal point, and from it on.
fn halves(text: &str, split: bool) -> (usize, usize) {
    match text.find('.') {
        Some(point) if split => (point, text.len() - point),
        Some(_) | None => (text.len(), 0),
    }
}

struct Printer<'value> {
    array: &'value HostArray,
    options: ShowOptions,
    shorten: bool,
    cells: Cells,
}

impl Printer<'_> {
    fn axis(&self, text: &mut String, axis: usize, base: usize) {
        let size = self.array.sizes()[axis] as usize;
        let last = axis + 1 == self.array.sizes().len();
        text.push('[');
        for (number, place) in shown(size, self.shorten, self.options.edge).into_iter().enumerate() {
            if number > 0 {
                text.push(',');
                self.separate(text, axis, last);
            }
            match place {
                None => text.push('…'),
                Some(place) if last => self.element(text, axis, base * size + place),
                Some(place) => self.axis(text, axis + 1, base * size + place),
            }
        }
        text.push(']');
    }

    /// Between rows a line end (and an empty line between matrices), between elements a space.
    fn separate(&self, text: &mut String, axis: usize, last: bool) {
        if last || self.options.width == usize::MAX {
            text.push(' ');
            return;
        }
        let inner_axes = self.array.sizes().len() - axis - 1;
        text.push_str(&"\n".repeat(inner_axes));
        text.push_str(&" ".repeat(axis + 1));
    }

    fn element(&self, text: &mut String, axis: usize, position: usize) {
        let split = self.array.layout().leaves.iter().all(|leaf| leaf.scalar.is_float());
        let cell = self.cells.pad(show(&self.array.element(position), self.options), split);
        let column = text.rfind('\n').map_or(text.len(), |line| text.len() - line - 1);
        if column + cell.len() + 2 > self.options.width && column > axis + 2 {
            let trimmed = text.trim_end().len();
            text.truncate(trimmed);
            text.push('\n');
            text.push_str(&" ".repeat(axis + 1));
        }
        text.push_str(&cell);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bind::{NoFiles, bind};
    use crate::spec::parse_spec;
    use crate::value::HostType;
    use we3_ir::Scalar;

    fn value(text: &str, elem: Scalar, rank: usize) -> HostValue {
        let ty = HostType::array(HostType::Scalar(elem), rank);
        bind(&parse_spec(text).unwrap(), &ty, 1, &mut NoFiles).unwrap()
    }

    #[test]
    fn rows_align_at_the_decimal_point() {
        let matrix = value("[[1, 10.25], [-3.5, 0]]", Scalar::F64, 2);
        assert_eq!(show(&matrix, ShowOptions::default()), "[[ 1.0 , 10.25],\n [-3.5 ,  0.0 ]]");
        assert_eq!(show(&matrix, ShowOptions::whole()), "[[1.0, 10.25], [-3.5, 0.0]]");
        let ints = value("[1, 10, 100]", Scalar::I32, 1);
        assert_eq!(show(&ints, ShowOptions::default()), "[  1,  10, 100]");
    }

    #[test]
    fn long_arrays_lose_their_middle() {
        let long = value("iota:i64[2000]", Scalar::I64, 1);
        assert_eq!(show(&long, ShowOptions::default()), "[   0,    1,    2, …, 1997, 1998, 1999]");
    }

    #[test]
    fn long_rows_wrap() {
        let row = value("iota:i64[60]", Scalar::I64, 1);
        let text = show(&row, ShowOptions { width: 40, ..ShowOptions::default() });
        assert!(text.lines().count() > 3 && text.lines().all(|line| line.len() <= 40), "{text}");
    }

    #[test]
    fn what_is_printed_whole_reads_back() {
        for text in ["[0.1, -0.0, inf, nan, 1e300]", "[[[1.0]]]", "[]"] {
            let rank = text.chars().take_while(|letter| *letter == '[').count();
            let first = value(text, Scalar::F64, rank);
            let again = value(&show(&first, ShowOptions::whole()), Scalar::F64, rank);
            assert_eq!(crate::compare::first_difference(&first, &again), None);
        }
    }
}
