//! Full blocks of a scan with their rows in registers: each step of Kogge–Stone moves the lanes of a row and combines
//! all of them, so that between the elements and the results there is one place in memory, the prefixes of the rows.

use we3_ir::hash::IdMap;
use we3_ir::{BinaryOp, Block, CompareOp, Func, Opcode, Scalar, Type, Value, eval};

use super::scan::{BLOCK, ROW, Scan};
use super::state::Lower;

/// How a row lies in vectors.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowVectors {
    lanes: u16,
    vectors: usize,
    /// Whether all floats that the combining region gives are the results of arithmetic, so that nobody can tell what
    /// bits a NaN had before.
    arithmetic: bool,
}

/// Memory of a block: prefixes inside each row, and what all rows before each give.
struct Kept {
    prefixes: Vec<Value>,
    carries: Vec<Value>,
}

/// A row: the columns of each of its vectors.
type Row = Vec<Vec<Value>>;

impl Lower<'_> {
    /// How rows of these columns lie in vectors; none where they do not fit, or code has to be short.
    pub(super) fn row_vectors(&self, elems: &[Scalar], combine: Block) -> Option<RowVectors> {
        let bytes = elems.iter().map(|elem| elem.bytes()).max()?;
        let lanes = self.facts.lanes(bytes)?.min(ROW as u16);
        let vectors = usize::from(ROW as u16 / lanes);
        let fits = vectors * elems.len() <= self.facts.vector_registers as usize / 2;
        let short = !self.facts.compact && !self.rare;
        let arithmetic = gives_arithmetic(self.src, combine);
        (fits && short && only_computes(self.src, combine)).then_some(RowVectors {
            lanes,
            vectors,
            arithmetic,
        })
    }

    /// A block of 1024 elements from `base` on, with others before it and places for all results.
    pub(super) fn scan_full_block(&mut self, scan: &Scan, rows: RowVectors, block: Value, base: Value) {
        let [zero, n_rows] = [self.i64(0), self.i64(ROW)];
        let len = self.i64(BLOCK);
        let kept = Kept { prefixes: self.stacks(&scan.elems, BLOCK), carries: self.stacks(&scan.elems, ROW) };
        self.evaluate_block(scan, base, len);
        self.for_each(zero, n_rows, |this, number| {
            let first = this.mul_const(number, ROW);
            let start = this.add_const(first, ROW);
            let elements = this.load_row(scan, rows, &scan.rows.buffers, start);
            let elements = this.without_payloads(scan, rows, elements);
            let row = this.row_prefixes(scan, rows, elements);
            this.store_row(rows, &kept.prefixes, first, &row);
            let total = this.last_of(rows, &row);
            this.store_all(&kept.carries, number, &total);
        });
        let totals = self.load_row(scan, rows, &kept.carries, zero);
        let totals = self.row_prefixes(scan, rows, totals);
        // A block before this one: there is a carry.
        let carry = self.block_carry(scan, block);
        self.store_carries(scan, rows, (&kept, &totals), &carry[1..]);
        self.for_each(zero, n_rows, |this, number| this.put_row(scan, rows, &kept, (base, number)));
        let total = self.last_of(rows, &totals);
        self.add_total(scan, block, &total);
    }

    /// Floats as results of arithmetic, where it comes to the same: the backends then need not care for the bits of a NaN.
    fn without_payloads(&mut self, scan: &Scan, rows: RowVectors, row: Row) -> Row {
        let ones: Vec<Option<Value>> = scan.elems.iter().map(|elem| self.one_of(rows, *elem)).collect();
        let mut result = Row::new();
        for columns in row {
            let pairs = columns.into_iter().zip(&ones);
            result.push(
                pairs
                    .map(|(value, one)| one.map_or(value, |one| self.b.binary(BinaryOp::Mul, value, one)))
                    .collect(),
            );
        }
        result
    }

    /// 1.0 in all lanes, for floats that arithmetic follows.
    fn one_of(&mut self, rows: RowVectors, elem: Scalar) -> Option<Value> {
        if !matches!(elem, Scalar::F32 | Scalar::F64) {
            return None;
        }
        let bits = eval::convert(Scalar::F64, elem, 1f64.to_bits());
        let one = self.b.constant(elem, bits);
        rows.arithmetic.then(|| self.splat(rows, one))
    }

    /// What comes before each row: the carry, then the carry and the totals so far.
    fn store_carries(
        &mut self,
        scan: &Scan,
        rows: RowVectors,
        (kept, totals): (&Kept, &Row),
        carry: &[Value],
    ) {
        let splats: Vec<Value> = carry.iter().map(|value| self.splat(rows, *value)).collect();
        let moved = self.moved(rows, totals, 1);
        let joined: Row = moved.iter().map(|vector| self.joined_lanes(scan, rows, &splats, vector)).collect();
        let zero = self.i64(0);
        self.store_row(rows, &kept.carries, zero, &joined);
        self.store_all(&kept.carries, zero, carry);
    }

    /// The results of a row.
    fn put_row(&mut self, scan: &Scan, rows: RowVectors, kept: &Kept, (base, number): (Value, Value)) {
        let first = self.mul_const(number, ROW);
        let row = self.load_row(scan, rows, &kept.prefixes, first);
        let carry = self.load_all(&kept.carries, number);
        let carry: Vec<Value> = carry.iter().map(|value| self.splat(rows, *value)).collect();
        let init: Vec<Value> = scan.init.iter().map(|value| self.splat(rows, *value)).collect();
        let start = self.add(base, first);
        for (number, own) in (0i64..).zip(&row) {
            let prefix = self.joined_lanes(scan, rows, &carry, own);
            let values = self.joined_lanes(scan, rows, &init, &prefix);
            let at = self.add_const(start, number * i64::from(rows.lanes) + i64::from(scan.exclusive));
            self.put_vectors(scan, at, &values);
        }
    }

    fn put_vectors(&mut self, scan: &Scan, at: Value, values: &[Value]) {
        for ((place, value), past) in scan.places.iter().zip(values).zip(&scan.past) {
            match (place, past) {
                (None, _) => {}
                (Some(place), None) => self.store(place.buffer, at, *value),
                (Some(place), Some(past)) => {
                    let args = vec![place.buffer, at, *value, *past];
                    self.b.append(Opcode::Stream, args, vec![], &[]);
                }
            }
        }
    }

    /// Kogge–Stone: `k[i] = k[i − d] ⊕ k[i]` for d = 1, 2, 4, 8, 16.
    fn row_prefixes(&mut self, scan: &Scan, rows: RowVectors, row: Row) -> Row {
        let mut row = row;
        let mut distance = 1;
        while distance < ROW as usize {
            let moved = self.moved(rows, &row, distance);
            let whole = distance / usize::from(rows.lanes);
            let mut next = Row::new();
            for (number, (left, own)) in moved.iter().zip(&row).enumerate() {
                next.push(if number < whole {
                    own.clone()
                } else {
                    let joined = self.joined_lanes(scan, rows, left, own);
                    if number == 0 { self.joined_from(rows, distance, &joined, own) } else { joined }
                });
            }
            row = next;
            distance *= 2;
        }
        row
    }

    /// The row moved by a distance; lanes that nothing moves into hold anything.
    fn moved(&mut self, rows: RowVectors, row: &Row, distance: usize) -> Row {
        let lanes = usize::from(rows.lanes);
        let (whole, part) = (distance / lanes, (distance % lanes) as u16);
        let mut moved = Row::new();
        for number in 0..row.len() {
            let own = &row[number.saturating_sub(whole)];
            let before = &row[number.saturating_sub(whole + 1)];
            moved.push(if part == 0 {
                own.clone()
            } else {
                before.iter().zip(own).map(|(before, own)| self.slid(rows, part, [*before, *own])).collect()
            });
        }
        moved
    }

    /// The last lanes of one vector and the first of the next.
    fn slid(&mut self, rows: RowVectors, by: u16, pair: [Value; 2]) -> Value {
        let picks = (rows.lanes - by..2 * rows.lanes - by).collect();
        let ty = self.b.func.ty(pair[1]).clone();
        self.b.value(Opcode::Shuffle(picks), pair.to_vec(), vec![], ty)
    }

    /// `joined` from a lane on, `own` before it.
    fn joined_from(&mut self, rows: RowVectors, lane: usize, joined: &[Value], own: &[Value]) -> Vec<Value> {
        let opcode = Opcode::Iota { elem: Scalar::I64, lanes: rows.lanes };
        let number = self.b.value(opcode, vec![], vec![], Type::Vector(Scalar::I64, rows.lanes));
        let lane = self.i64(lane as i64);
        let lane = self.splat(rows, lane);
        let reaches = self.b.compare(CompareOp::Ge, number, lane);
        joined.iter().zip(own).map(|(joined, own)| self.b.select(reaches, *joined, *own)).collect()
    }

    fn last_of(&mut self, rows: RowVectors, row: &Row) -> Vec<Value> {
        let lane = rows.lanes - 1;
        let mut last = Vec::new();
        for vector in &row[rows.vectors - 1] {
            let ty = Type::Scalar(self.b.func.ty(*vector).element());
            last.push(self.b.value(Opcode::Extract(lane), vec![*vector], vec![], ty));
        }
        last
    }

    fn load_row(&mut self, scan: &Scan, rows: RowVectors, buffers: &[Value], first: Value) -> Row {
        let mut row = Row::new();
        for number in 0..rows.vectors as i64 {
            let at = self.add_const(first, number * i64::from(rows.lanes));
            let mut columns = Vec::new();
            for (buffer, elem) in buffers.iter().zip(&scan.elems) {
                let ty = Type::Vector(*elem, rows.lanes);
                columns.push(self.b.value(Opcode::Load, vec![*buffer, at], vec![], ty));
            }
            row.push(columns);
        }
        row
    }

    fn store_row(&mut self, rows: RowVectors, buffers: &[Value], first: Value, row: &Row) {
        for (number, columns) in (0i64..).zip(row) {
            let at = self.add_const(first, number * i64::from(rows.lanes));
            self.store_all(buffers, at, columns);
        }
    }

    fn splat(&mut self, rows: RowVectors, value: Value) -> Value {
        let ty = Type::Vector(self.b.func.ty(value).element(), rows.lanes);
        self.b.value(Opcode::Splat(rows.lanes), vec![value], vec![], ty)
    }

    /// `left ⊕ right` in all lanes.
    fn joined_lanes(&mut self, scan: &Scan, rows: RowVectors, left: &[Value], right: &[Value]) -> Vec<Value> {
        let src = self.src;
        let params = src.blocks[scan.combine].params.iter().copied();
        let mut lanes: IdMap<Value, Value> = params.zip([left, right].concat()).collect();
        for op in &src.blocks[scan.combine].ops {
            let data = &src.ops[*op];
            let Some(result) = data.results.first().copied() else { continue };
            let elem = src.ty(result).element();
            let value = if let Opcode::Const(constant) = &data.opcode {
                let value = self.b.constant(elem, constant.bits);
                self.splat(rows, value)
            } else {
                let args = data.args.iter().map(|arg| self.in_lanes(rows, &lanes, *arg)).collect();
                self.b.value(data.opcode.clone(), args, vec![], Type::Vector(elem, rows.lanes))
            };
            lanes.insert(result, value);
        }
        src.yields(scan.combine).iter().map(|value| self.in_lanes(rows, &lanes, *value)).collect()
    }

    /// What a value of the combining region is in lanes; one from outside is the same in all.
    fn in_lanes(&mut self, rows: RowVectors, lanes: &IdMap<Value, Value>, value: Value) -> Value {
        match lanes.get(&value) {
            Some(vector) => *vector,
            None => {
                let value = self.scalar(value);
                self.splat(rows, value)
            }
        }
    }
}

/// Whether a region has only operations that are the same in lanes.
fn only_computes(func: &Func, region: Block) -> bool {
    func.blocks[region].ops.iter().all(|op| {
        matches!(
            func.ops[*op].opcode,
            Opcode::Const(_)
                | Opcode::Unary(_)
                | Opcode::Binary(_)
                | Opcode::Compare(_)
                | Opcode::Select
                | Opcode::Fma
                | Opcode::Convert(_)
                | Opcode::Bitcast(_)
                | Opcode::Yield
        )
    })
}

/// Whether every float that the region yields is the result of arithmetic, and it looks at no float's bits.
fn gives_arithmetic(func: &Func, region: Block) -> bool {
    let ops = &func.blocks[region].ops;
    let looks = ops.iter().any(|op| matches!(func.ops[*op].opcode, Opcode::Bitcast(_)));
    let arithmetic = |value: &Value| {
        func.def_op(*value).is_some_and(|op| {
            let computes = matches!(func.ops[op].opcode, Opcode::Unary(_) | Opcode::Binary(_) | Opcode::Fma);
            computes && ops.contains(&op)
        })
    };
    let yields = func.yields(region);
    !looks && yields.iter().all(|value| !func.ty(*value).element().is_float() || arithmetic(value))
}
