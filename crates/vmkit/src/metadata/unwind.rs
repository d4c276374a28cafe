//! Unwind rules: from the registers at an instruction to those of the caller.
//!
//! They are read from `.eh_frame` (Linux Standard Base, "Exception Frames"; DWARF 5, section 6.4) by
//! final address. Nothing refers to the bytes in memory: rules outlive the code.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use gimli::{
    BaseAddresses, CfaRule, EhFrame, EhFrameOffset, EndianSlice, LittleEndian, RegisterRule,
    UnwindContext, UnwindExpression, UnwindSection as _,
};

use super::Span;
use crate::error::{Error, Result};

pub(super) type Bytes<'a> = EndianSlice<'a, LittleEndian>;

/// The rules of one function.
pub struct Rules {
    /// Where its code begins.
    pub start: u64,
    /// Where its code ends.
    pub end: u64,
    /// Where its call-site table is, if it has one.
    pub table: Option<u64>,
    /// The routine that the system's unwinder asks what to do in this function.
    pub personality: Option<Personality>,
    /// The section, and where its record is in it; none if its rows were given.
    record: Option<(Arc<Section>, usize)>,
    rows: OnceLock<Box<[Row]>>,
}

/// A personality routine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Personality {
    /// The one at this address.
    At(u64),
    /// The one whose address lies at this address.
    InSlot(u64),
}

/// What holds from one instruction to the next row's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// The first instruction's address.
    pub start: u64,
    /// How to compute the canonical frame address: what the stack pointer is after the return.
    pub cfa: Cfa,
    /// Bytes of arguments that lie on the stack during calls here, and which whoever goes on behind
    /// such a call must drop.
    pub arguments: u64,
    /// How to find what registers held in the caller; those that are not named hold it still.
    pub registers: Box<[(u16, Rule)]>,
}

/// How to compute the canonical frame address. Registers have their DWARF numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cfa {
    /// That many bytes from a register's.
    Register {
        /// The register.
        register: u16,
        /// Bytes.
        offset: i64,
    },
    /// What a DWARF expression computes.
    Expression(Box<[u8]>),
}

/// How to find what a register held in the caller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Rule {
    /// Nobody knows.
    Undefined,
    /// It is in memory, that many bytes from the canonical frame address.
    Saved(i64),
    /// It is the address that many bytes from the canonical frame address.
    Value(i64),
    /// It is in another register.
    Register(u16),
    /// It is in memory, at the address that a DWARF expression computes.
    SavedAt(Box<[u8]>),
    /// It is what a DWARF expression computes.
    ValueOf(Box<[u8]>),
}

/// An `.eh_frame` section that several functions share.
struct Section {
    address: u64,
    bytes: Box<[u8]>,
}

impl Rules {
    /// Reads the records of an `.eh_frame` section, one function each, in the order of the section;
    /// `name` says whose, for messages.
    ///
    /// # Errors
    ///
    /// Bytes that are no such records, or end early.
    pub fn parse(name: impl Into<Arc<str>>, section: Span<'_>) -> Result<Vec<Self>> {
        let section = Section { address: section.address, bytes: section.bytes.into() };
        read(Arc::new(section))
            .map_err(|error| Error::input(name, format!("unwind records: {error}")))
    }

    /// Rules that a producer gives in another form, the rows in the order of their addresses.
    #[must_use]
    pub fn new(code: Range<u64>, rows: Vec<Row>) -> Self {
        Self {
            start: code.start,
            end: code.end,
            table: None,
            personality: None,
            record: None,
            rows: OnceLock::from(rows.into_boxed_slice()),
        }
    }

    /// The rules for the instruction at `address`. None outside of the function, or where the record
    /// is damaged.
    pub fn row(&self, address: u64) -> Option<&Row> {
        if address < self.start || address >= self.end {
            return None;
        }
        let rows = self.rows();
        rows[..rows.partition_point(|row| row.start <= address)].last()
    }

    /// All rules, in the order of their addresses. Read when they are first asked for.
    pub fn rows(&self) -> &[Row] {
        self.rows.get_or_init(|| {
            let record = self.record.as_ref();
            record.and_then(|(section, at)| section.rows(*at).ok()).unwrap_or_default().into()
        })
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rules({:#x}..{:#x})", self.start, self.end)
    }
}

fn read(section: Arc<Section>) -> gimli::Result<Vec<Rules>> {
    let (frame, bases) = section.frame();
    let mut entries = frame.entries(&bases);
    let mut rules = Vec::new();
    while let Some(entry) = entries.next()? {
        let gimli::CieOrFde::Fde(entry) = entry else { continue };
        let record = entry.parse(EhFrame::cie_from_offset)?;
        let personality = record.personality().map(|pointer| match pointer {
            gimli::Pointer::Direct(at) => Personality::At(at),
            gimli::Pointer::Indirect(at) => Personality::InSlot(at),
        });
        rules.push(Rules {
            start: record.initial_address(),
            end: record.end_address(),
            // A null pointer, whatever it is counted from.
            table: record.lsda().map(gimli::Pointer::pointer).filter(|&table| table != 0),
            personality,
            record: Some((section.clone(), record.offset())),
            rows: OnceLock::new(),
        });
    }
    Ok(rules)
}

impl Section {
    fn frame(&self) -> (EhFrame<Bytes<'_>>, BaseAddresses) {
        let mut frame = EhFrame::new(&self.bytes, LittleEndian);
        if cfg!(target_arch = "aarch64") {
            // Records say where return addresses are signed.
            frame.set_vendor(gimli::Vendor::AArch64);
        }
        (frame, BaseAddresses::default().set_eh_frame(self.address))
    }

    /// The rows of the record at an offset.
    fn rows(&self, offset: usize) -> gimli::Result<Vec<Row>> {
        let (frame, bases) = self.frame();
        let record =
            frame.fde_from_offset(&bases, EhFrameOffset(offset), EhFrame::cie_from_offset)?;
        let mut context = UnwindContext::new();
        let mut table = record.rows(&frame, &bases, &mut context)?;
        let mut rows = Vec::new();
        while let Some(row) = table.next_row()? {
            let cfa = match row.cfa() {
                CfaRule::RegisterAndOffset { register, offset } => {
                    Cfa::Register { register: register.0, offset: *offset }
                }
                CfaRule::Expression(expression) => Cfa::Expression(bytes(&frame, expression)?),
            };
            let mut registers = Vec::new();
            for (register, rule) in row.registers() {
                if let Some(rule) = rule_of(&frame, rule)? {
                    registers.push((register.0, rule));
                }
            }
            rows.push(Row {
                start: row.start_address(),
                cfa,
                arguments: row.saved_args_size(),
                registers: registers.into(),
            });
        }
        Ok(rows)
    }
}

fn rule_of(frame: &EhFrame<Bytes<'_>>, rule: &RegisterRule<usize>) -> gimli::Result<Option<Rule>> {
    Ok(Some(match rule {
        RegisterRule::SameValue => return Ok(None),
        RegisterRule::Offset(offset) => Rule::Saved(*offset),
        RegisterRule::ValOffset(offset) => Rule::Value(*offset),
        RegisterRule::Register(register) => Rule::Register(register.0),
        RegisterRule::Expression(expression) => Rule::SavedAt(bytes(frame, expression)?),
        RegisterRule::ValExpression(expression) => Rule::ValueOf(bytes(frame, expression)?),
        RegisterRule::Undefined | RegisterRule::Architectural | RegisterRule::Constant(_) => {
            Rule::Undefined
        }
    }))
}

fn bytes(
    frame: &EhFrame<Bytes<'_>>,
    expression: &UnwindExpression<usize>,
) -> gimli::Result<Box<[u8]>> {
    Ok(expression.get(frame)?.0.slice().into())
}

/// What a DWARF expression computes (DWARF 5, section 2.5), begun with `first` on its stack. None if
/// it needs what is not known here.
pub fn evaluate(
    expression: &[u8],
    first: Option<u64>,
    register: impl Fn(u16) -> Option<u64>,
    word: impl Fn(u64) -> Option<u64>,
) -> Option<u64> {
    /// Any expression that a compiler writes here is a handful of operations.
    const MOST_STEPS: u32 = 1000;
    let encoding = gimli::Encoding { format: gimli::Format::Dwarf32, version: 4, address_size: 8 };
    let expression = gimli::Expression(Bytes::new(expression, LittleEndian));
    let mut evaluation = expression.evaluation(encoding);
    evaluation.set_max_iterations(MOST_STEPS);
    if let Some(first) = first {
        evaluation.set_initial_value(first);
    }
    let mut state = evaluation.evaluate().ok()?;
    loop {
        use gimli::{EvaluationResult as E, Value};
        state = match state {
            E::Complete => break,
            E::RequiresRegister { register: number, .. } => {
                evaluation.resume_with_register(Value::Generic(register(number.0)?)).ok()?
            }
            E::RequiresMemory { address, size: 8, space: None, .. } => {
                evaluation.resume_with_memory(Value::Generic(word(address)?)).ok()?
            }
            _ => return None,
        };
    }
    match evaluation.as_result() {
        [gimli::Piece { location: gimli::Location::Address { address }, .. }] => Some(*address),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECTION: u64 = 0x50_0000;
    const CODE: u64 = 0x40_0000;

    /// A record of a function of 32 bytes that pushes `rbp` with its first byte, and calls with 16
    /// bytes of arguments on the stack from the fifth on.
    fn section() -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut record = |id: u32, body: &[u8]| {
            let padded = (4 + body.len()).next_multiple_of(8) + 4;
            bytes.extend((padded as u32).to_le_bytes());
            bytes.extend(id.to_le_bytes());
            bytes.extend(body);
            bytes.resize(bytes.len() + padded - 4 - body.len(), 0);
            bytes.len() as u64
        };
        // Version 1, "zR", alignments 1 and -8, return address 16, pointers absolute of 8 bytes;
        // the frame address is 8 above the stack pointer, the return address right below it.
        let first = [1, b'z', b'R', 0, 1, 0x78, 16, 1, 0, 0x0c, 7, 8, 0x90, 1];
        let end = record(0, &first);
        let mut second = [CODE.to_le_bytes(), 32u64.to_le_bytes()].concat();
        // Advance 1, 16 above, rbp saved at 16 below; advance 4, 16 bytes of arguments.
        second.extend([0, 0x41, 0x0e, 16, 0x86, 2, 0x44, 0x2e, 16]);
        record(end as u32 + 4, &second);
        bytes
    }

    fn parse(bytes: &[u8]) -> Result<Vec<Rules>> {
        Rules::parse("f", Span { address: SECTION, bytes })
    }

    fn check(offset: u64, cfa: i64, arguments: u64, expected: &[(u16, Rule)]) {
        let all = parse(&section()).unwrap();
        let [rules] = &all[..] else { panic!("{all:?}") };
        let row = rules.row(CODE + offset).unwrap();
        assert_eq!(row.cfa, Cfa::Register { register: 7, offset: cfa });
        let mut registers = row.registers.to_vec();
        registers.sort_by_key(|(register, _)| *register);
        assert_eq!((row.arguments, &registers[..]), (arguments, expected));
    }

    #[test]
    fn rows_follow_the_instructions() {
        let saved = [(6, Rule::Saved(-16)), (16, Rule::Saved(-8))];
        check(0, 8, 0, &saved[1..]);
        check(1, 16, 0, &saved);
        check(4, 16, 0, &saved);
        check(5, 16, 16, &saved);
        check(31, 16, 16, &saved);
        assert!(parse(&section()).unwrap()[0].row(CODE + 32).is_none());
    }

    #[test]
    fn records_that_end_early_are_refused() {
        let bytes = section();
        let error = parse(&bytes[..bytes.len() - 1]).unwrap_err();
        assert!(error.is_input() && error.to_string().starts_with("f: unwind records: "));
    }

    #[test]
    fn expressions_that_never_end_are_given_up() {
        // DW_OP_lit0, DW_OP_skip back to it.
        assert_eq!(evaluate(&[0x30, 0x2f, 0xfc, 0xff], None, |_| None, Some), None);
        assert_eq!(evaluate(&[], None, |_| None, Some), None);
        assert_eq!(evaluate(&[], Some(5), |_| None, Some), Some(5));
        // DW_OP_breg3, of which nothing is known.
        assert_eq!(evaluate(&[0x73, 0], None, |_| None, Some), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn damage_is_survived(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        ) {
            let mut bytes = section();
            for (at, byte) in changes {
                *at.get_mut(&mut bytes) = byte;
            }
            match parse(&bytes) {
                Ok(all) => for rules in &all {
                    let _ = rules.row(rules.start);
                    prop_assert!(rules.rows().len() <= bytes.len());
                },
                Err(error) => prop_assert!(error.is_input()),
            }
        }
    }
}
