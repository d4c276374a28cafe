//! Unwind records for the system's unwinder, in the form of `.eh_frame` (Linux Standard Base,
//! "Exception Frames").

use cranelift_codegen::CompiledCode;
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::isa::unwind::UnwindInfo;
use gimli::constants::{DW_EH_PE_absptr, DW_EH_PE_pcrel, DW_EH_PE_sdata4};
use gimli::write::{
    Address, EhFrame, EndianVec, FrameTable, RelocateWriter, Relocation, RelocationTarget,
};
use gimli::{DwEhPe, LittleEndian};

/// What the addresses in a record are of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Of {
    /// The function.
    Code,
    /// Its table of handlers.
    Table,
    /// The routine that reads that.
    Personality,
}

const OF: [Of; 3] = [Of::Code, Of::Table, Of::Personality];

/// An address in a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Reference {
    pub(crate) offset: u64,
    pub(crate) of: Of,
    /// Counted from the place itself, in four bytes; else plain, in eight.
    pub(crate) is_relative: bool,
}

/// The records of one function.
pub(crate) struct Records {
    pub(crate) bytes: Vec<u8>,
    pub(crate) references: Vec<Reference>,
}

/// Writes records, and notes the addresses in them.
#[derive(Clone)]
struct Writer {
    bytes: EndianVec<LittleEndian>,
    references: Vec<Reference>,
}

impl RelocateWriter for Writer {
    type Writer = EndianVec<LittleEndian>;

    fn writer(&self) -> &Self::Writer {
        &self.bytes
    }

    fn writer_mut(&mut self) -> &mut Self::Writer {
        &mut self.bytes
    }

    fn relocate(&mut self, relocation: Relocation) {
        let RelocationTarget::Symbol(number) = relocation.target else { return };
        self.references.push(Reference {
            offset: relocation.offset as u64,
            of: OF[number],
            is_relative: relocation.size == 4,
        });
    }
}

fn address(of: Of) -> Address {
    Address::Symbol { symbol: of as usize, addend: 0 }
}

/// The records of a compiled function, which has a table of handlers or not; none where the
/// instruction set has no such records.
pub(crate) fn records(
    isa: &dyn TargetIsa,
    code: &CompiledCode,
    has_table: bool,
) -> Result<Option<Records>, String> {
    let info = code.create_unwind_info(isa).map_err(|error| error.to_string())?;
    let (Some(UnwindInfo::SystemV(info)), Some(mut common)) = (info, isa.create_systemv_cie())
    else {
        return Ok(None);
    };
    let relative = DwEhPe(DW_EH_PE_pcrel.0 | DW_EH_PE_sdata4.0);
    common.fde_address_encoding = relative;
    let mut record = info.to_fde(address(Of::Code));
    if has_table {
        common.personality = Some((DW_EH_PE_absptr, address(Of::Personality)));
        common.lsda_encoding = Some(relative);
        record.lsda = Some(address(Of::Table));
    }
    let mut table = FrameTable::default();
    let common = table.add_cie(common);
    table.add_fde(common, record);
    let writer = Writer { bytes: EndianVec::new(LittleEndian), references: Vec::new() };
    let mut section = EhFrame(writer);
    table.write_eh_frame(&mut section).map_err(|error| error.to_string())?;
    let Writer { bytes, references } = section.0;
    Ok(Some(Records { bytes: bytes.into_vec(), references }))
}
