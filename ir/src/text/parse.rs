//! Parsing modules, functions and regions; operations are in `parse_op`, types in `parse_type`.

use std::collections::HashMap;

use crate::entity::{Block, FuncId, Value};
use crate::module::{EntryAbi, Func, Level, Module, ValueData, ValueDef};
use crate::text::MAX_NESTING;
use crate::text::lex::{Token, tokens};
use crate::types::Type;

/// Why a text is no module.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParseError {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

impl std::fmt::Display for ParseError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for ParseError {}

/// Reads a module. The result is not verified. After an error parsing goes on at the next function.
pub fn parse_module(source: &str) -> Result<Module, Vec<ParseError>> {
    let tokens = tokens(source);
    let mut errors = Vec::new();
    let functions = function_names(&tokens, &mut errors);
    let mut parser =
        Parser { tokens: &tokens, at: 0, functions, func: Func::new(""), values: HashMap::new(), depth: 0 };
    let mut module = Module::new(Level::Array);
    match parser.head() {
        Ok(level) => module.level = level,
        Err(fault) => {
            errors.push(fault);
            parser.skip_to_function();
        }
    }
    while !parser.is(&Token::End) {
        match parser.function() {
            Ok(()) => {
                module.funcs.push(std::mem::replace(&mut parser.func, Func::new("")));
            }
            Err(fault) => {
                errors.push(fault);
                parser.skip_to_function();
            }
        }
    }
    if errors.is_empty() {
        return Ok(module);
    }
    errors.sort_by_key(|fault| fault.offset);
    Err(errors.into_iter().map(|fault| fault.place(source)).collect())
}

/// An error before its line is known.
pub(super) struct Fault {
    offset: usize,
    message: String,
}

impl Fault {
    fn place(self, source: &str) -> ParseError {
        let before = source.get(..self.offset).unwrap_or(source);
        let line = before.matches('\n').count() + 1;
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(line_start..).unwrap_or("").chars().count() + 1;
        ParseError { line, column, message: self.message }
    }
}

/// Every function's id by its name, so that calls may come before definitions.
fn function_names(tokens: &[(Token, usize)], errors: &mut Vec<Fault>) -> HashMap<String, FuncId> {
    let mut names = HashMap::new();
    for pair in tokens.windows(2) {
        if let [(Token::Word(word), _), (Token::Function(name), offset)] = pair {
            if word != "func" {
                continue;
            }
            let id = FuncId::from_u32(names.len() as u32);
            if names.insert(name.clone(), id).is_some() {
                errors.push(Fault { offset: *offset, message: format!("a second function @{name}") });
            }
        }
    }
    names
}

pub(super) struct Parser<'a> {
    tokens: &'a [(Token, usize)],
    at: usize,
    pub(super) functions: HashMap<String, FuncId>,
    pub(super) func: Func,
    /// Values by their number in the text.
    values: HashMap<u32, Value>,
    depth: usize,
}

pub(super) type Parsed<T> = Result<T, Fault>;

impl Parser<'_> {
    pub(super) fn token(&self) -> &Token {
        // The list ends with `End`, which is never passed.
        self.tokens.get(self.at).map_or(&Token::End, |(token, _)| token)
    }

    fn following(&self) -> &Token {
        self.tokens.get(self.at + 1).map_or(&Token::End, |(token, _)| token)
    }

    pub(super) fn advance(&mut self) {
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
    }

    pub(super) fn is(&self, token: &Token) -> bool {
        self.token() == token
    }

    pub(super) fn is_punct(&self, mark: char) -> bool {
        self.is(&Token::Punct(mark))
    }

    pub(super) fn eat(&mut self, mark: char) -> bool {
        let found = self.is_punct(mark);
        if found {
            self.advance();
        }
        found
    }

    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let found = matches!(self.token(), Token::Word(text) if text == word);
        if found {
            self.advance();
        }
        found
    }

    pub(super) fn fault<T>(&self, message: impl Into<String>) -> Parsed<T> {
        let offset = self.tokens.get(self.at).map_or(0, |(_, offset)| *offset);
        Err(Fault { offset, message: message.into() })
    }

    pub(super) fn expected<T>(&self, what: &str) -> Parsed<T> {
        self.fault(format!("expected {what}, found {}", self.token().describe()))
    }

    pub(super) fn expect(&mut self, mark: char) -> Parsed<()> {
        if self.eat(mark) { Ok(()) } else { self.expected(&format!("`{mark}`")) }
    }

    fn expect_word(&mut self, word: &str) -> Parsed<()> {
        if self.eat_word(word) { Ok(()) } else { self.expected(&format!("`{word}`")) }
    }

    pub(super) fn number<T: std::str::FromStr>(&mut self) -> Parsed<T> {
        if let Token::Number(text) = self.token()
            && let Ok(number) = text.parse()
        {
            self.advance();
            return Ok(number);
        }
        self.expected("a number in range")
    }

    pub(super) fn value_token(&mut self) -> Parsed<u32> {
        if let Token::Value(number) = *self.token() {
            self.advance();
            return Ok(number);
        }
        self.expected("a value such as `%0`")
    }

    /// A use of a value.
    pub(super) fn value(&mut self) -> Parsed<Value> {
        if let Token::Value(number) = *self.token()
            && !self.values.contains_key(&number)
        {
            return self.fault(format!("%{number} has no definition before this"));
        }
        let number = self.value_token()?;
        Ok(self.values.get(&number).copied().unwrap_or(Value::from_u32(0)))
    }

    /// Whether a list of operands goes on here: a value that is not the start of a definition.
    pub(super) fn at_operand(&self) -> bool {
        matches!(self.token(), Token::Value(_)) && self.following() != &Token::Punct(':')
    }

    /// `%3: type`, registering the value when it is made.
    pub(super) fn definition(&mut self, make: impl FnOnce(&mut Func, Type) -> Value) -> Parsed<()> {
        let Token::Value(number) = *self.token() else {
            return self.expected("a definition such as `%0: f32`");
        };
        if self.values.contains_key(&number) {
            return self.fault(format!("a second definition of %{number}"));
        }
        self.advance();
        self.expect(':')?;
        let ty = self.ty(None)?;
        let value = make(&mut self.func, ty);
        self.values.insert(number, value);
        Ok(())
    }

    fn head(&mut self) -> Parsed<Level> {
        let level = if self.eat_word("array") {
            Level::Array
        } else if self.eat_word("loop") {
            Level::Loop
        } else {
            return self.expected("`array module` or `loop module`");
        };
        self.expect_word("module")?;
        Ok(level)
    }

    fn skip_to_function(&mut self) {
        self.advance();
        loop {
            let starts = match self.token() {
                Token::End => true,
                Token::Word(word) if word == "entry" => {
                    matches!(self.following(), Token::Word(next) if next == "func")
                }
                Token::Word(word) if word == "func" => matches!(self.following(), Token::Function(_)),
                Token::Word(_)
                | Token::Value(_)
                | Token::ResultRef(_)
                | Token::Function(_)
                | Token::Number(_)
                | Token::Punct(_)
                | Token::Arrow
                | Token::Unknown(_) => false,
            };
            if starts {
                return;
            }
            self.advance();
        }
    }

    fn function(&mut self) -> Parsed<()> {
        self.values.clear();
        self.depth = 0;
        let is_entry = self.eat_word("entry");
        self.expect_word("func")?;
        let Token::Function(name) = self.token().clone() else {
            return self.expected("a name such as `@f`");
        };
        self.advance();
        self.func = Func::new(name);
        let body = self.func.body;
        let mut abi = EntryAbi { param_strides: self.params(body, is_entry)?, result_strides: Vec::new() };
        if !self.is(&Token::Arrow) {
            return self.expected("`->`");
        }
        self.advance();
        abi.result_strides = self.results(is_entry)?;
        if is_entry && self.eat_word("outputs") {
            self.output_strides(&mut abi.result_strides)?;
        }
        self.func.entry = is_entry.then_some(abi);
        self.expect('{')?;
        self.ops(body)?;
        self.expect('}')
    }

    /// `(%0: type, …)`; returns the strides.
    fn params(&mut self, block: Block, strides_allowed: bool) -> Parsed<Vec<u32>> {
        self.expect('(')?;
        let mut strides = Vec::new();
        while !self.is_punct(')') {
            self.definition(|func, ty| func.add_param(block, ty))?;
            strides.push(self.stride(strides_allowed)?);
            if !self.eat(',') {
                break;
            }
        }
        self.expect(')')?;
        Ok(strides)
    }

    fn stride(&mut self, allowed: bool) -> Parsed<u32> {
        if allowed && self.eat_word("stride") {
            return self.number();
        }
        Ok(1)
    }

    fn results(&mut self, strides_allowed: bool) -> Parsed<Vec<u32>> {
        self.expect('(')?;
        let mut strides = Vec::new();
        while !self.is_punct(')') {
            let ty = self.ty(Some(self.func.results.len()))?;
            self.func.declare_result(ty);
            strides.push(self.stride(strides_allowed)?);
            if !self.eat(',') {
                break;
            }
        }
        self.expect(')')?;
        Ok(strides)
    }

    fn output_strides(&mut self, strides: &mut Vec<u32>) -> Parsed<()> {
        self.expect('(')?;
        while !self.is_punct(')') {
            strides.push(self.number()?);
            if !self.eat(',') {
                break;
            }
        }
        self.expect(')')
    }

    /// `{ b(…): ops }`
    pub(super) fn region(&mut self) -> Parsed<Block> {
        if self.depth >= MAX_NESTING {
            return self.fault(format!("regions nest deeper than {MAX_NESTING}"));
        }
        self.depth += 1;
        self.expect('{')?;
        let block = self.func.make_block();
        let has_head = matches!(self.token(), Token::Word(word) if word == "b");
        if has_head {
            self.advance();
            self.params(block, false)?;
            self.expect(':')?;
        }
        self.ops(block)?;
        self.expect('}')?;
        self.depth -= 1;
        Ok(block)
    }

    fn ops(&mut self, block: Block) -> Parsed<()> {
        while !self.is_punct('}') {
            let op = self.operation()?;
            self.func.blocks[block].ops.push(op);
        }
        Ok(())
    }

    /// The definition of a value, for results that are parsed before their operation exists.
    pub(super) fn result_value(func: &mut Func, ty: Type) -> Value {
        func.values.push(ValueData { ty, def: ValueDef::ResultRef(u32::MAX) })
    }
}
