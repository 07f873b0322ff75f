//! How a nest's iterations are to be arranged, as a program or the tuner asks: plain data beside a `build`. It cannot
//! change a result: the order of reductions belongs to the nest. What it leaves open, lowering's heuristic decides.

use std::fmt;
use std::str::FromStr;

/// The largest block, number of lanes and number of copies that may be asked for.
pub const LARGEST: u32 = 1 << 16;
/// More lanes than a vector may have.
pub const MOST_LANES: u32 = 64;
/// More copies of a body than anybody wants.
pub const MOST_COPIES: u32 = 64;

/// What a schedule's text is made of.
const PARTS: &str = "`order`, `tile`, `parallel`, `scalar`, `lanes` or `unroll` with its numbers";

/// A request. Axes are numbered as the `build` has them, from the outermost.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Schedule {
    /// Axes from the outermost loop to the innermost; those that are not named follow in their own order.
    pub order: Vec<u32>,
    /// Block sizes by axis: the loops over blocks stand outside all loops inside them, in this order.
    pub tiles: Vec<(u32, u32)>,
    /// The axes whose loops threads may share; none: as the heuristic has it.
    pub parallel: Option<Vec<u32>>,
    /// The axis that runs in lanes.
    pub vector: Vector,
    /// How many iterations are written one after the other, by axis.
    pub unroll: Vec<(u32, u32)>,
}

/// What is asked about lanes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Vector {
    /// As the heuristic has it.
    #[default]
    Open,
    /// No lanes.
    Scalar,
    /// This axis, with so many lanes; 0: as many as the heuristic takes.
    Axis(u32, u32),
}

impl Schedule {
    /// Whether the loops themselves are arranged, so that no other arrangement (packed products, strips of rows) fits.
    pub fn arranges_loops(&self) -> bool {
        !self.order.is_empty()
            || !self.tiles.is_empty()
            || !self.unroll.is_empty()
            || self.vector != Vector::Open
    }

    /// Whether it says which axis runs in lanes.
    pub fn wants_lanes(&self) -> bool {
        matches!(self.vector, Vector::Axis(..))
    }

    /// Adds one part of its text, in words: `["tile", "0", "32"]`.
    pub fn add_part(&mut self, words: &[&str]) -> Result<(), String> {
        let unknown = || format!("expected {PARTS}, found `{}`", words.join(" "));
        let (name, numbers) = words.split_first().ok_or_else(unknown)?;
        let numbers: Result<Vec<u32>, _> = numbers.iter().map(|word| word.parse()).collect();
        let numbers = numbers.map_err(|_| unknown())?;
        match (*name, &numbers[..]) {
            ("order", axes) => self.order = axes.to_vec(),
            ("parallel", axes) => self.parallel = Some(axes.to_vec()),
            ("scalar", []) => self.vector = Vector::Scalar,
            ("tile", [axis, size]) => self.tiles.push((*axis, *size)),
            ("lanes", [axis, lanes]) => self.vector = Vector::Axis(*axis, *lanes),
            ("unroll", [axis, copies]) => self.unroll.push((*axis, *copies)),
            _ => return Err(unknown()),
        }
        Ok(())
    }

    /// What is wrong with it for a nest of so many axes.
    pub fn problem(&self, rank: u32) -> Option<String> {
        let sized = self.tiles.iter().chain(&self.unroll).map(|(axis, _)| *axis);
        let vector = if let Vector::Axis(axis, _) = self.vector { Some(axis) } else { None };
        let parallel = self.parallel.iter().flatten().copied();
        let mut axes = self.order.iter().copied().chain(sized).chain(parallel).chain(vector);
        if let Some(axis) = axes.find(|axis| *axis >= rank) {
            return Some(format!("there is no axis {axis} in a nest of {rank}"));
        }
        let tiled: Vec<u32> = self.tiles.iter().map(|(axis, _)| *axis).collect();
        let unrolled: Vec<u32> = self.unroll.iter().map(|(axis, _)| *axis).collect();
        let lists = [&self.order, &tiled, &unrolled, self.parallel.as_ref().unwrap_or(&self.order)];
        if let Some(axis) = lists.iter().find_map(|list| repeated(list)) {
            return Some(format!("axis {axis} is named twice"));
        }
        let sizes = [(&self.tiles, "block", LARGEST), (&self.unroll, "number of copies", MOST_COPIES)];
        for (list, what, most) in sizes {
            if let Some((_, size)) = list.iter().find(|(_, size)| !(2..=most).contains(size)) {
                return Some(format!("a {what} of {size} is not from 2 to {most}"));
            }
        }
        let Vector::Axis(axis, lanes) = self.vector else { return None };
        if lanes != 0 && !(lanes.is_power_of_two() && (2..=MOST_LANES).contains(&lanes)) {
            return Some(format!("{lanes} lanes are not a power of two from 2 to {MOST_LANES}"));
        }
        unrolled.contains(&axis).then(|| format!("axis {axis} runs in lanes, so it cannot be unrolled too"))
    }
}

impl FromStr for Schedule {
    type Err = String;

    /// Reads what `Display` writes.
    fn from_str(text: &str) -> Result<Schedule, String> {
        let mut schedule = Schedule::default();
        for part in text.split(',') {
            schedule.add_part(&part.split_whitespace().collect::<Vec<_>>())?;
        }
        Ok(schedule)
    }
}

fn repeated(axes: &[u32]) -> Option<u32> {
    let twice = |(at, axis): (usize, &u32)| axes[..at].contains(axis).then_some(*axis);
    axes.iter().enumerate().find_map(twice)
}

/// As the text of the IR has it: `order 1 0, tile 0 32, parallel 1, lanes 0 8, unroll 1 4`.
impl fmt::Display for Schedule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = Vec::new();
        let words = |axes: &[u32]| axes.iter().map(|axis| format!(" {axis}")).collect::<String>();
        if !self.order.is_empty() {
            parts.push(format!("order{}", words(&self.order)));
        }
        parts.extend(self.tiles.iter().map(|(axis, size)| format!("tile {axis} {size}")));
        parts.extend(self.parallel.as_ref().map(|axes| format!("parallel{}", words(axes))));
        match self.vector {
            Vector::Open => {}
            Vector::Scalar => parts.push(String::from("scalar")),
            Vector::Axis(axis, lanes) => parts.push(format!("lanes {axis} {lanes}")),
        }
        parts.extend(self.unroll.iter().map(|(axis, copies)| format!("unroll {axis} {copies}")));
        formatter.write_str(&parts.join(", "))
    }
}
