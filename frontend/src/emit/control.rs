//! Statements, blocks, choices and loops. Array IR has no jumps: `break`, `continue` and `return` set a
//! carried exit code, what follows is guarded by it, and loops that can be left early become `while`.

use we3_ir::{CompareOp, Opcode, Type as IrType, Value};

use super::function::Emitter;
use super::state::{Item, Plan};
use super::value::Val;
use crate::typed::effects::Effects;
use crate::typed::{Block, Expr, Returned, Stmt, StmtKind, Type};

/// Control is where the code stands.
pub const EXIT_NONE: i64 = 0;

/// On the way to the next round of the innermost loop.
pub const EXIT_CONTINUE: i64 = 1;

/// On the way out of the innermost loop.
pub const EXIT_BREAK: i64 = 2;

/// On the way out of the function.
pub const EXIT_RETURN: i64 = 3;

/// What comes after statements and gives the value of the whole; `None`: the end is not reached.
type Tail<'t, 'a, T> = &'t mut dyn FnMut(&mut Emitter<'a>) -> Result<Option<T>, String>;

impl<'a> Emitter<'a> {
    /// The exit code as a value.
    pub fn exit_value(&mut self) -> Value {
        match self.exit {
            Some(value) => value,
            None => self.b.i64(EXIT_NONE),
        }
    }

    /// Opens a region of IR: sizes computed in it end with it.
    pub fn open_region(&mut self, params: &[IrType]) -> Vec<Value> {
        self.sizes.push();
        self.b.begin_region(params)
    }

    /// Closes it.
    pub fn close_region(&mut self, yields: Vec<Value>) -> we3_ir::Block {
        self.sizes.pop();
        self.b.end_region(yields)
    }

    /// Statements and then flat values (for a function's end): see `guarded_val` for values.
    pub fn guarded(
        &mut self,
        stmts: &[Stmt],
        tail: Tail<'_, 'a, Vec<Value>>,
    ) -> Result<Option<Vec<Value>>, String> {
        for (number, stmt) in stmts.iter().enumerate() {
            self.stmt(stmt)?;
            let rest = &stmts[number + 1..];
            if Effects::of_stmt(stmt).exits() {
                return self.rest_if_not_left(rest, tail);
            }
        }
        tail(self)
    }

    /// The rest of a function's body after a statement that may have left: guarded, and turned into an
    /// assignment of what the function returns.
    fn rest_if_not_left(
        &mut self,
        rest: &[Stmt],
        tail: Tail<'_, 'a, Vec<Value>>,
    ) -> Result<Option<Vec<Value>>, String> {
        let mut effects = Effects::of_stmts(rest);
        effects.returns = true;
        let mut items = self.items(&effects);
        items.push(Item::Exit);
        items.push(Item::Return);
        let plan = self.plan(items)?;
        let staying = self.is_staying();
        self.choose(
            &plan,
            staying,
            &mut |emitter| {
                if let Some(flat) = emitter.guarded(rest, tail)? {
                    emitter.leave_with(flat)?;
                }
                Ok(None)
            },
            &mut |_| Ok(None),
        )?;
        Ok(None)
    }

    /// Records the function's result unless it has returned already.
    fn leave_with(&mut self, flat: Vec<Value>) -> Result<(), String> {
        if self.exit.is_some() {
            let plan = self.plan(vec![Item::Exit, Item::Return])?;
            let staying = self.is_staying();
            self.choose(
                &plan,
                staying,
                &mut |emitter| {
                    emitter.set_return(flat.clone());
                    Ok(None)
                },
                &mut |_| Ok(None),
            )?;
        } else {
            self.set_return(flat);
        }
        Ok(())
    }

    fn set_return(&mut self, flat: Vec<Value>) {
        self.returned = Some(flat);
        self.exit = Some(self.b.i64(EXIT_RETURN));
    }

    pub fn is_staying(&mut self) -> Value {
        let exit = self.exit_value();
        let none = self.b.i64(EXIT_NONE);
        self.b.compare(CompareOp::Eq, exit, none)
    }

    /// The state items that effects touch, among what is bound now.
    pub fn items(&self, effects: &Effects) -> Vec<Item> {
        effects
            .assigned
            .iter()
            .filter(|local| self.is_bound(**local))
            .map(|local| Item::Var(*local))
            .collect()
    }

    /// An `if` over planned state; returns the value of `Item::Value`.
    fn choose(
        &mut self,
        plan: &Plan,
        condition: Value,
        then: &mut dyn FnMut(&mut Emitter<'a>) -> Result<Option<Val>, String>,
        otherwise: &mut dyn FnMut(&mut Emitter<'a>) -> Result<Option<Val>, String>,
    ) -> Result<Val, String> {
        let then = self.arm(plan, then)?;
        let otherwise = self.arm(plan, otherwise)?;
        let op = self.b.append(Opcode::If, vec![condition], vec![then, otherwise], &[]);
        let func = &mut *self.b.func;
        let results = plan.instantiate(|ty| func.add_result(op, ty));
        self.unflatten(plan, &results)
    }

    fn arm(
        &mut self,
        plan: &Plan,
        body: &mut dyn FnMut(&mut Emitter<'a>) -> Result<Option<Val>, String>,
    ) -> Result<we3_ir::Block, String> {
        let before = self.snapshot(plan)?;
        let bound = self.bound();
        self.open_region(&[]);
        let value = body(self)?;
        let flat = self.flatten(plan, value.as_ref())?;
        let block = self.close_region(flat);
        self.unbind_except(&bound);
        self.restore(before);
        Ok(block)
    }

    pub fn snapshot(&self, plan: &Plan) -> Result<Snapshot, String> {
        let mut vars = Vec::new();
        for item in &plan.items {
            if let Item::Var(local) = item {
                vars.push((*local, self.local(*local)?.clone()));
            }
        }
        Ok(Snapshot { vars, exit: self.exit, returned: self.returned.clone() })
    }

    pub fn restore(&mut self, snapshot: Snapshot) {
        for (local, val) in snapshot.vars {
            self.bind(local, val);
        }
        self.exit = snapshot.exit;
        self.returned = snapshot.returned;
    }

    /// An `if` expression.
    pub fn if_expr(
        &mut self,
        cond: &Expr,
        then: &Block,
        otherwise: &Block,
        ty: &Type,
    ) -> Result<Val, String> {
        let condition = self.expr(cond)?.scalar()?;
        let mut effects = Effects::of_block(then);
        let other = Effects::of_block(otherwise);
        effects.assigned.extend(other.assigned.iter().copied());
        let mut items = self.items(&effects);
        if effects.exits() || other.exits() {
            items.push(Item::Exit);
        }
        if effects.returns || other.returns {
            items.push(Item::Return);
        }
        items.push(Item::Value(ty.clone()));
        let plan = self.plan(items)?;
        self.choose(&plan, condition, &mut |emitter| emitter.block(then), &mut |emitter| {
            emitter.block(otherwise)
        })
    }

    /// A block in value position: its variables stay known to the end of the region.
    pub fn block(&mut self, block: &Block) -> Result<Option<Val>, String> {
        for (number, stmt) in block.stmts.iter().enumerate() {
            self.stmt(stmt)?;
            if Effects::of_stmt(stmt).exits() {
                return self.rest_of_block(&block.stmts[number + 1..], block.value.as_deref());
            }
        }
        match &block.value {
            Some(value) => self.expr(value).map(Some),
            None => Ok(None),
        }
    }

    /// What follows a statement that may have left, guarded by the exit code.
    fn rest_of_block(&mut self, rest: &[Stmt], value: Option<&Expr>) -> Result<Option<Val>, String> {
        if rest.is_empty() && value.is_none() {
            return Ok(None);
        }
        let mut effects = Effects::of_stmts(rest);
        if let Some(value) = value {
            let more = Effects::of_expr(value);
            effects.assigned.extend(more.assigned);
            effects.returns |= more.returns;
        }
        let mut items = self.items(&effects);
        items.push(Item::Exit);
        if effects.returns {
            items.push(Item::Return);
        }
        if let Some(value) = value {
            items.push(Item::Value(value.ty.clone()));
        }
        let plan = self.plan(items)?;
        let staying = self.is_staying();
        let block = Block { stmts: rest.to_vec(), value: value.cloned().map(Box::new) };
        let val = self.choose(&plan, staying, &mut |emitter| emitter.block(&block), &mut |_| Ok(None))?;
        Ok(value.map(|_| val))
    }

    /// One statement.
    pub fn stmt(&mut self, stmt: &Stmt) -> Result<(), String> {
        let outer = std::mem::replace(&mut self.b.span, stmt.span);
        self.stmt_kind(&stmt.kind)?;
        self.b.span = outer;
        Ok(())
    }

    fn stmt_kind(&mut self, kind: &StmtKind) -> Result<(), String> {
        match kind {
            StmtKind::Let(local, value) => {
                let val = self.expr(value)?;
                self.bind(*local, val);
            }
            StmtKind::Assign { local, path, value } => {
                let val = self.expr(value)?;
                let old = self.local(*local)?.clone();
                let ty = self.local_type(*local);
                let new = self.replaced(&old, &ty, path, val)?;
                self.bind(*local, new);
            }
            StmtKind::Expr(value) => {
                self.expr(value)?;
            }
            StmtKind::Check { cond, site, notes } => {
                let condition = self.expr(cond)?.scalar()?;
                let notes =
                    notes.iter().map(|note| self.expr(note)?.scalar()).collect::<Result<Vec<_>, _>>()?;
                self.b.check(condition, site.0, &notes);
            }
            StmtKind::For { axis, body } => self.for_loop(axis, body)?,
            StmtKind::While { cond, body } => self.while_loop(cond, body)?,
            StmtKind::Break => self.exit = Some(self.b.i64(EXIT_BREAK)),
            StmtKind::Continue => self.exit = Some(self.b.i64(EXIT_CONTINUE)),
            StmtKind::Return(returned) => self.return_stmt(returned)?,
        }
        Ok(())
    }

    fn return_stmt(&mut self, returned: &Returned) -> Result<(), String> {
        let flat = self.flat_result(returned)?;
        self.set_return(flat);
        Ok(())
    }

    pub fn take_results(&mut self, plan: &Plan, op: we3_ir::Op) -> Result<(), String> {
        let func = &mut *self.b.func;
        let results = plan.instantiate(|ty| func.add_result(op, ty));
        self.unflatten(plan, &results)?;
        Ok(())
    }
}

/// State to return to after a region.
pub struct Snapshot {
    vars: Vec<(crate::typed::Local, Val)>,
    exit: Option<Value>,
    returned: Option<Vec<Value>>,
}
