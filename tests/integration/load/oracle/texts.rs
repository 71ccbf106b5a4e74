//! Texts for a column type, the same ones for the same seed.

use proptest::strategy::{Strategy, ValueTree};
use proptest::string::{RegexGeneratorStrategy, string_regex};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::types::{FLOAT, Type};

/// Texts for a type: edge cases, those of its grammars, numbers as programs print them, and any
/// of these with a character changed.
pub(super) struct Texts {
    random: ChaCha8Rng,
    runner: TestRunner,
    grammars: Vec<RegexGeneratorStrategy<String>>,
    given: Vec<String>,
}

impl Texts {
    pub(super) fn of(of: &Type, seed: u64) -> Self {
        let bytes: [u8; 32] = std::array::from_fn(|at| seed.to_le_bytes()[at % 8]);
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        Texts {
            random: ChaCha8Rng::seed_from_u64(seed),
            runner: TestRunner::new_with_rng(Config::default(), rng),
            grammars: of.grammars.iter().map(|grammar| string_regex(grammar).unwrap()).collect(),
            given: of.taken.iter().chain(of.others).map(|text| (*text).to_owned()).collect(),
        }
    }

    pub(super) fn all(mut self, of: &Type, count: usize) -> Vec<String> {
        let mut texts = self.given.clone();
        while texts.len() < count {
            let text = match self.random.random_range(0..4) {
                0 if of.inexact == FLOAT => self.float(of.sql == "real"),
                1 => self.changed(),
                _ => self.regular(),
            };
            texts.extend(Some(text).filter(|text| !text.is_empty()));
        }
        texts
    }

    fn regular(&mut self) -> String {
        let grammar = &self.grammars[self.random.random_range(0..self.grammars.len())];
        grammar.new_tree(&mut self.runner).unwrap().current()
    }

    /// A float of any size, with any number of digits.
    fn float(&mut self, is_real: bool) -> String {
        let digits = self.random.random_range(0..20);
        let value = match is_real {
            true => f64::from(f32::from_bits(self.random.random())),
            false => f64::from_bits(self.random.random()),
        };
        // Most powers of two lie between two spacings.
        let value = match self.random.random_range(0..8) {
            0 if is_real => f64::from(2f32.powi(self.random.random_range(-149..128))),
            0 => 2f64.powi(self.random.random_range(-1074..1024)),
            _ => value,
        };
        match digits {
            _ if !value.is_finite() => "1".into(),
            17.. if is_real => format!("{:e}", value as f32),
            17.. => format!("{value:e}"),
            digits => format!("{value:.digits$e}"),
        }
    }

    /// A text with a character added, removed or replaced.
    fn changed(&mut self) -> String {
        let text = match self.random.random() {
            true => self.regular(),
            false => self.given[self.random.random_range(0..self.given.len())].clone(),
        };
        let mut chars: Vec<char> = text.chars().collect();
        let alphabet: Vec<char> = "0123456789+-.,:eExZTz /_aft{}\"'\\\té雪\u{a0}".chars().collect();
        let other = alphabet[self.random.random_range(0..alphabet.len())];
        let at = self.random.random_range(0..=chars.len());
        let to = (at + self.random.random_range(0..2)).min(chars.len());
        let put = Some(other).filter(|_| to == at || self.random.random());
        chars.splice(at..to, put);
        chars.into_iter().collect()
    }
}
