//! Source locations become debug information (DWARF 4), as debuggers and the session read it.

use cranelift_codegen::CompiledCode;
use cranelift_codegen::ir::SourceLoc;
use gimli::constants as dw;
use gimli::write::{
    Address, AttributeValue, DwarfUnit, FileId, LineProgram, LineString, Relocation,
    RelocationTarget, Sections,
};
use gimli::{Encoding, Format, LineEncoding};
use rustc_hash::FxHashMap;

use crate::dwarf::Writer;

/// A place in the source of a function.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Position {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
    /// The column, counted from 1; 0 if it is not known.
    pub column: u32,
}

/// Says where a location of a function, given its name, is.
pub(crate) type Positions = Box<dyn Fn(&str, SourceLoc) -> Option<Position> + Send + Sync>;

/// A section of debug information, and the offsets of the code's address in it, each with what is added
/// to that.
pub(crate) struct DebugSection {
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
    pub(crate) addresses: Vec<(u64, i64)>,
}

/// Debug information of a compiled function; none where nobody knows any place in it.
pub(crate) fn sections(
    name: &str,
    code: &CompiledCode,
    positions: &Positions,
) -> Result<Vec<DebugSection>, String> {
    let locations = code.buffer.get_srclocs_sorted().iter().filter(|range| !range.loc.is_default());
    let rows: Vec<_> = locations
        .filter_map(|range| Some((range.start, range.end, positions(name, range.loc)?)))
        .collect();
    let Some((_, _, first)) = rows.first() else { return Ok(Vec::new()) };
    let encoding = Encoding { format: Format::Dwarf32, version: 4, address_size: 8 };
    let mut unit = DwarfUnit::new(encoding);
    let text = |text: &str| LineString::String(text.as_bytes().to_vec());
    let folder = text(".");
    let file = text(&first.file);
    let mut program = LineProgram::new(encoding, LineEncoding::default(), folder, None, file, None);
    let size = code.buffer.data().len() as u64;
    write_rows(&mut program, &rows, size);
    unit.unit.line_program = program;
    describe(&mut unit, name, &first.file, size);
    let mut sections = Sections::new(Writer::new());
    unit.write(&mut sections).map_err(|error| error.to_string())?;
    let mut found = Vec::new();
    sections
        .for_each(|id, written| -> Result<(), String> {
            let (mut bytes, relocations) = written.clone().finish();
            let mut addresses = Vec::new();
            for Relocation { offset, target, addend, .. } in relocations {
                match target {
                    RelocationTarget::Symbol(_) => addresses.push((offset as u64, addend)),
                    // The graph's sections are whole ones.
                    RelocationTarget::Section(_) => {
                        bytes[offset..offset + 4].copy_from_slice(&(addend as u32).to_le_bytes())
                    }
                }
            }
            if !bytes.is_empty() {
                found.push(DebugSection { name: id.name(), bytes, addresses });
            }
            Ok(())
        })
        .map(|()| found)
}

fn code_address() -> Address {
    Address::Symbol { symbol: 0, addend: 0 }
}

fn write_rows(program: &mut LineProgram, rows: &[(u32, u32, Position)], size: u64) {
    let mut files: FxHashMap<&str, FileId> = FxHashMap::default();
    program.begin_sequence(Some(code_address()));
    let mut end = None;
    for (start, next, position) in rows {
        // Code in between is of no known line.
        if let Some(end) = end.filter(|end| end != start) {
            row(program, end, None, 0, 0);
        }
        let file = *files.entry(&position.file).or_insert_with(|| {
            let name = LineString::String(position.file.as_bytes().to_vec());
            let folder = program.default_directory();
            program.add_file(name, folder, None)
        });
        row(program, *start, Some(file), position.line, position.column);
        end = Some(*next);
    }
    if let Some(end) = end.filter(|&end| u64::from(end) < size) {
        row(program, end, None, 0, 0);
    }
    program.end_sequence(size);
}

fn row(program: &mut LineProgram, offset: u32, file: Option<FileId>, line: u32, column: u32) {
    let row = program.row();
    row.address_offset = offset.into();
    if let Some(file) = file {
        row.file = file;
    }
    (row.line, row.column) = (line.into(), column.into());
    program.generate_row();
}

/// The unit, and the one function in it.
fn describe(unit: &mut DwarfUnit, name: &str, file: &str, size: u64) {
    let text = |text: &str| AttributeValue::String(text.as_bytes().to_vec());
    let root = unit.unit.root();
    let function = unit.unit.add(root, dw::DW_TAG_subprogram);
    for (entry, name) in [(root, file), (function, name)] {
        let entry = unit.unit.get_mut(entry);
        entry.set(dw::DW_AT_name, text(name));
        entry.set(dw::DW_AT_low_pc, AttributeValue::Address(code_address()));
        entry.set(dw::DW_AT_high_pc, AttributeValue::Udata(size));
    }
    unit.unit.get_mut(root).set(dw::DW_AT_comp_dir, text("."));
}
