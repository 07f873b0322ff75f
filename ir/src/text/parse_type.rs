//! Parsing types and the sizes they name.

use crate::entity::Value;
use crate::text::lex::Token;
use crate::text::parse::{Parsed, Parser};
use crate::types::{Scalar, Type};

impl Parser<'_> {
    /// A type; in a function's results, `#k` names results before this number.
    pub(super) fn ty(&mut self, result_number: Option<usize>) -> Parsed<Type> {
        let Token::Word(word) = self.token().clone() else {
            return self.expected("a type");
        };
        if word == "buffer" {
            self.advance();
            return Ok(Type::Buffer(self.scalar()?));
        }
        if let Some(scalar) = Scalar::from_name(&word) {
            self.advance();
            return if self.is_punct('[') {
                self.array(scalar, result_number)
            } else {
                Ok(Type::Scalar(scalar))
            };
        }
        if let Some((elem, lanes)) = word.split_once('x')
            && let (Some(elem), Ok(lanes)) = (Scalar::from_name(elem), lanes.parse())
        {
            self.advance();
            return Ok(Type::Vector(elem, lanes));
        }
        self.expected("a type")
    }

    fn scalar(&mut self) -> Parsed<Scalar> {
        if let Token::Word(word) = self.token()
            && let Some(scalar) = Scalar::from_name(word)
        {
            self.advance();
            return Ok(scalar);
        }
        self.expected("a scalar type")
    }

    fn array(&mut self, elem: Scalar, result_number: Option<usize>) -> Parsed<Type> {
        self.expect('[')?;
        let mut sizes = Vec::new();
        loop {
            sizes.push(self.size(result_number)?);
            if !self.eat(',') {
                break;
            }
        }
        self.expect(']')?;
        Ok(Type::Array(elem, sizes))
    }

    fn size(&mut self, result_number: Option<usize>) -> Parsed<Value> {
        let Token::ResultRef(number) = *self.token() else { return self.value() };
        match result_number {
            Some(limit) if (number as usize) < limit => {
                self.advance();
                Ok(self.func.result_ref(number as usize))
            }
            Some(_) => self.fault(format!("#{number} is no earlier result")),
            None => self.fault("`#` names results, inside the types of later results only"),
        }
    }
}
