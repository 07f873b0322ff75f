//! Parsing one operation: results, opcode with attributes, operands, regions.

use crate::entity::{Op, Value};
use crate::module::ValueDef;
use crate::op::{Const, ForKind, Opcode};
use crate::schedule::Schedule;
use crate::span::Span;
use crate::text::constant::parse_constant;
use crate::text::lex::Token;
use crate::text::names::{for_kind, plain_opcode, reduce_kind};
use crate::text::parse::{Parsed, Parser};
use crate::types::{Scalar, Type};

impl Parser<'_> {
    pub(super) fn operation(&mut self) -> Parsed<Op> {
        let results = self.operation_results()?;
        let opcode = self.opcode(&results)?;
        let schedule = if self.eat('(') { Some(self.schedule()?) } else { None };
        let args = self.operands()?;
        let opcode = with_rank(opcode, args.len());
        // The id is taken before the regions are read, so that ops count in order of their text.
        let op = self.func.make_op(opcode, args, Vec::new(), Span::default());
        for (number, value) in results.iter().enumerate() {
            self.func.values[*value].def = ValueDef::Result(op, number as u32);
        }
        self.func.ops[op].results = results;
        if let Some(schedule) = schedule {
            self.func.schedules[op] = Some(Box::new(schedule));
        }
        while self.is_punct('{') {
            let region = self.region()?;
            self.func.ops[op].regions.push(region);
        }
        Ok(op)
    }

    /// What stands in parentheses behind `build`.
    fn schedule(&mut self) -> Parsed<Schedule> {
        let mut schedule = Schedule::default();
        loop {
            let mut words = Vec::new();
            while let Token::Word(word) | Token::Number(word) = self.token().clone() {
                words.push(word);
                self.advance();
            }
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            if let Err(message) = schedule.add_part(&words) {
                return self.fault(message);
            }
            if !self.eat(',') {
                self.expect(')')?;
                return Ok(schedule);
            }
        }
    }

    fn operation_results(&mut self) -> Parsed<Vec<Value>> {
        let mut results = Vec::new();
        if !matches!(self.token(), Token::Value(_)) {
            return Ok(results);
        }
        loop {
            self.definition(|func, ty| {
                let value = Parser::result_value(func, ty);
                results.push(value);
                value
            })?;
            if !self.eat(',') {
                break;
            }
        }
        self.expect('=')?;
        Ok(results)
    }

    fn operands(&mut self) -> Parsed<Vec<Value>> {
        let mut args = Vec::new();
        if !self.at_operand() {
            return Ok(args);
        }
        args.push(self.value()?);
        while self.eat(',') {
            args.push(self.value()?);
        }
        Ok(args)
    }

    fn opcode(&mut self, results: &[Value]) -> Parsed<Opcode> {
        let Token::Word(text) = self.token().clone() else {
            return self.expected("an operation");
        };
        let mut words = text.split('.');
        let name = words.next().unwrap_or("");
        let mut words: Vec<&str> = words.collect();
        let unknown = self.fault(format!("`{text}` is no operation"));
        let opcode = if words.is_empty() {
            match name {
                "const" => return self.constant(results),
                "call" => return self.call(),
                "break" => return self.jump(Opcode::Break),
                "continue" => return self.jump(Opcode::Continue),
                "iota" => self.iota(results),
                "build" => Some(Opcode::Build { rank: 0 }),
                "dot" => Some(Opcode::Dot { rank: 0 }),
                "update" => Some(Opcode::Update { rank: 0, masked: false }),
                _ => plain_opcode(name),
            }
        } else if text == "shuffle." {
            return self.shuffle();
        } else {
            let masked = words.last() == Some(&"masked");
            if masked {
                words.pop();
            }
            match attributed(name, &words, masked) {
                Some(Opcode::Stack { elem, .. }) => {
                    self.advance();
                    return Ok(Opcode::Stack { elem, len: self.number()? });
                }
                Some(Opcode::Data { elem, .. }) => {
                    self.advance();
                    return self.data(elem);
                }
                Some(Opcode::Output { elem, .. }) => {
                    self.advance();
                    return Ok(Opcode::Output { elem, index: self.number()? });
                }
                other => other,
            }
        };
        match opcode {
            Some(opcode) => {
                self.advance();
                Ok(opcode)
            }
            None => unknown,
        }
    }

    fn constant(&mut self, results: &[Value]) -> Parsed<Opcode> {
        let ty = match results.first().map(|value| self.func.ty(*value)) {
            Some(Type::Scalar(scalar)) => *scalar,
            Some(Type::Array(..) | Type::Buffer(_) | Type::Vector(..)) | None => {
                return self.fault("a constant defines one scalar");
            }
        };
        self.advance();
        self.constant_value(ty).map(Opcode::Const)
    }

    fn constant_value(&mut self, ty: Scalar) -> Parsed<Const> {
        if self.eat_word("bits") {
            return self.constant_bits(ty);
        }
        let constant = match self.token() {
            Token::Number(text) | Token::Word(text) => parse_constant(ty, text),
            Token::Value(_)
            | Token::ResultRef(_)
            | Token::Function(_)
            | Token::Punct(_)
            | Token::Arrow
            | Token::Unknown(_)
            | Token::End => None,
        };
        match constant {
            Some(constant) => {
                self.advance();
                Ok(constant)
            }
            None => self.expected(&format!("a constant of type {ty}")),
        }
    }

    fn data(&mut self, elem: Scalar) -> Parsed<Opcode> {
        self.expect('[')?;
        let mut bits = Vec::new();
        while !self.is_punct(']') {
            bits.push(self.constant_value(elem)?.bits);
            if !self.eat(',') {
                break;
            }
        }
        self.expect(']')?;
        Ok(Opcode::Data { elem, bits })
    }

    fn constant_bits(&mut self, ty: Scalar) -> Parsed<Const> {
        self.expect('(')?;
        let bits = match self.token() {
            Token::Number(text) => parse_constant(Scalar::U64, text),
            Token::Word(_)
            | Token::Value(_)
            | Token::ResultRef(_)
            | Token::Function(_)
            | Token::Punct(_)
            | Token::Arrow
            | Token::Unknown(_)
            | Token::End => None,
        };
        let Some(Const { bits, .. }) = bits else {
            return self.expected("a bit pattern such as `0x7fc00000`");
        };
        self.advance();
        self.expect(')')?;
        Ok(Const { ty, bits })
    }

    fn call(&mut self) -> Parsed<Opcode> {
        self.advance();
        let Token::Function(name) = self.token() else { return self.expected("a function's name") };
        match self.functions.get(name) {
            Some(func) => {
                let opcode = Opcode::Call(*func);
                self.advance();
                Ok(opcode)
            }
            None => self.fault(format!("there is no function @{name}")),
        }
    }

    fn jump(&mut self, make: impl Fn(u32) -> Opcode) -> Parsed<Opcode> {
        self.advance();
        Ok(make(self.number()?))
    }

    fn iota(&self, results: &[Value]) -> Option<Opcode> {
        match results.first().map(|value| self.func.ty(*value)) {
            Some(Type::Vector(elem, lanes)) => Some(Opcode::Iota { elem: *elem, lanes: *lanes }),
            Some(Type::Scalar(_) | Type::Array(..) | Type::Buffer(_)) | None => None,
        }
    }

    fn shuffle(&mut self) -> Parsed<Opcode> {
        self.advance();
        self.expect('[')?;
        let mut lanes = Vec::new();
        while !self.is_punct(']') {
            lanes.push(self.number()?);
            if !self.eat(',') {
                break;
            }
        }
        self.expect(']')?;
        Ok(Opcode::Shuffle(lanes))
    }
}

/// An opcode from its name and the words after its dots.
fn attributed(name: &str, words: &[&str], masked: bool) -> Option<Opcode> {
    let opcode = match (name, words) {
        ("reduce", [kind]) => return Some(Opcode::Reduce { kind: reduce_kind(kind)?, masked }),
        ("scatter", [rank, kind]) => {
            return Some(Opcode::Scatter { kind: reduce_kind(kind)?, rank: rank.parse().ok()?, masked });
        }
        ("update", []) => return Some(Opcode::Update { rank: 0, masked }),
        ("convert", [to]) => Opcode::Convert(Scalar::from_name(to)?),
        ("bitcast", [to]) => Opcode::Bitcast(Scalar::from_name(to)?),
        ("check", [site]) => Opcode::Check { site: site.parse().ok()? },
        ("dot_by", [rank]) => Opcode::DotBy { rank: rank.parse().ok()? },
        ("data", [elem]) => Opcode::Data { elem: Scalar::from_name(elem)?, bits: Vec::new() },
        ("alloc", [elem]) => Opcode::Alloc(Scalar::from_name(elem)?),
        ("stack", [elem]) => Opcode::Stack { elem: Scalar::from_name(elem)?, len: 0 },
        ("output", [elem]) => Opcode::Output { index: 0, elem: Scalar::from_name(elem)? },
        ("for", ["lanes", lanes]) => Opcode::For(ForKind::Lanes(lanes.parse().ok()?)),
        ("for", [kind]) => Opcode::For(for_kind(kind)?),
        ("splat", [lanes]) => Opcode::Splat(lanes.parse().ok()?),
        ("probe", ["enter", nest]) => Opcode::Probe { nest: nest.parse().ok()?, leave: false },
        ("probe", ["leave", nest]) => Opcode::Probe { nest: nest.parse().ok()?, leave: true },
        ("extract", [lane]) => Opcode::Extract(lane.parse().ok()?),
        ("insert", [lane]) => Opcode::Insert(lane.parse().ok()?),
        _ => return None,
    };
    (!masked).then_some(opcode)
}

/// Fills in the rank where the number of operands tells it.
fn with_rank(opcode: Opcode, n_args: usize) -> Opcode {
    let rank = n_args as u32;
    #[expect(clippy::wildcard_enum_match_arm, reason = "asks about three operations only")]
    match opcode {
        Opcode::Build { .. } => Opcode::Build { rank },
        Opcode::Dot { .. } => Opcode::Dot { rank },
        Opcode::Update { masked, .. } => Opcode::Update { rank: rank.saturating_sub(1), masked },
        other => other,
    }
}
