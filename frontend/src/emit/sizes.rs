//! Values of size polynomials: saturating arithmetic, one value per equal size and region.

use std::collections::HashMap;

use we3_ir::{BinaryOp, Value};

use super::function::Emitter;
use crate::typed::{Atom, Size};

/// Sizes computed so far, innermost region last.
#[derive(Default)]
pub struct SizeScopes {
    scopes: Vec<HashMap<Size, Value>>,
}

impl SizeScopes {
    /// Starts a region.
    pub fn push(&mut self) {
        self.scopes.push(HashMap::new());
    }

    /// Ends a region.
    pub fn pop(&mut self) {
        self.scopes.pop();
    }

    /// Remembers a value for a size.
    pub fn insert(&mut self, size: Size, value: Value) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(size, value);
        }
    }

    fn get(&self, size: &Size) -> Option<Value> {
        self.scopes.iter().rev().find_map(|scope| scope.get(size)).copied()
    }
}

impl Emitter<'_> {
    /// The value of a size, computed here unless it is known.
    pub fn size(&mut self, size: &Size) -> Result<Value, String> {
        if let Some(value) = self.sizes.get(size) {
            return Ok(value);
        }
        let value = self.polynomial(size)?;
        self.sizes.insert(size.clone(), value);
        Ok(value)
    }

    /// The values of several sizes.
    pub fn all_sizes(&mut self, sizes: &[Size]) -> Result<Vec<Value>, String> {
        sizes.iter().map(|size| self.size(size)).collect()
    }

    /// A size whose atoms are all in the present scopes.
    pub fn closed_polynomial(&mut self, size: &Size) -> Result<Value, String> {
        self.polynomial(size)
    }

    fn polynomial(&mut self, size: &Size) -> Result<Value, String> {
        if let Some(atom) = size.as_atom() {
            return self.atom(&atom.clone());
        }
        let mut total: Option<Value> = None;
        for (atoms, coefficient) in size.terms() {
            let mut product: Option<Value> = None;
            for atom in atoms {
                let factor = self.atom(atom)?;
                product = Some(self.joined(BinaryOp::MulSat, product, factor));
            }
            let term = match (product, *coefficient) {
                (Some(product), 1) => product,
                (product, coefficient) => {
                    let constant = self.b.i64(coefficient);
                    self.joined(BinaryOp::MulSat, product, constant)
                }
            };
            total = Some(self.joined(BinaryOp::AddSat, total, term));
        }
        Ok(match total {
            Some(total) => total,
            None => self.b.i64(0),
        })
    }

    fn joined(&mut self, op: BinaryOp, left: Option<Value>, right: Value) -> Value {
        match left {
            Some(left) => self.b.binary(op, left, right),
            None => right,
        }
    }

    fn atom(&mut self, atom: &Atom) -> Result<Value, String> {
        if let Some(value) = self.sizes.get(&Size::atom(atom.clone())) {
            return Ok(value);
        }
        match atom {
            Atom::Local(local) => self.local(*local)?.scalar(),
            Atom::FloorDiv(inner, divisor) => {
                let value = self.size(inner)?;
                Ok(self.floor_div(value, *divisor))
            }
            Atom::Min(a, b) => {
                let (a, b) = (self.size(a)?, self.size(b)?);
                Ok(self.b.binary(BinaryOp::Min, a, b))
            }
            Atom::Max(a, b) => {
                let (a, b) = (self.size(a)?, self.size(b)?);
                Ok(self.b.binary(BinaryOp::Max, a, b))
            }
            Atom::Fresh(_) | Atom::Param(_) | Atom::Const(_) => {
                Err("a size parameter outside a signature".into())
            }
        }
    }

    /// Rounds down; IR division truncates: `q − (r < 0)` for a divisor > 0.
    fn floor_div(&mut self, value: Value, divisor: i64) -> Value {
        let divisor = self.b.i64(divisor);
        let quotient = self.b.binary(BinaryOp::Div, value, divisor);
        let rest = self.b.binary(BinaryOp::Rem, value, divisor);
        let zero = self.b.i64(0);
        let negative = self.b.compare(we3_ir::CompareOp::Lt, rest, zero);
        let one = self.b.convert(we3_ir::Scalar::I64, negative);
        self.b.binary(BinaryOp::Sub, quotient, one)
    }
}
