//! Numbers and pointers as they are encoded in tables.

use gimli::{DwEhPe, EndianSlice, LittleEndian, Reader as _};

use super::{Span, TypeInfo};

/// Something read, or what is wrong.
pub(super) type Read<T> = Result<T, String>;

pub(super) type Bytes<'a> = EndianSlice<'a, LittleEndian>;

/// Reads encoded pointers of one section.
pub(super) struct Encoded<'a> {
    pub(super) section: Span<'a>,
    pub(super) word: &'a dyn Fn(u64) -> Option<u64>,
}

impl Encoded<'_> {
    /// Where in the section a reader of its rest stands.
    pub(super) fn offset_of(&self, rest: &Bytes<'_>) -> usize {
        self.section.bytes.len() - rest.len()
    }

    pub(super) fn pointer(&self, reader: &mut Bytes<'_>, encoding: DwEhPe) -> Read<TypeInfo> {
        let place = self.section.address.wrapping_add(self.offset_of(reader) as u64);
        let value = number(reader, encoding)?.cast_unsigned();
        if value == 0 {
            return Ok(TypeInfo::Any);
        }
        let address = match encoding.application() {
            gimli::DW_EH_PE_absptr => value,
            gimli::DW_EH_PE_pcrel => place.wrapping_add(value),
            _ => return Err(unknown(encoding)),
        };
        if !encoding.is_indirect() {
            return Ok(TypeInfo::At(address));
        }
        Ok((self.word)(address).map_or(TypeInfo::InSlot(address), TypeInfo::At))
    }
}

/// A number in the format of a pointer encoding.
pub(super) fn number(reader: &mut Bytes<'_>, encoding: DwEhPe) -> Read<i64> {
    match encoding.format() {
        gimli::DW_EH_PE_uleb128 => reader.read_uleb128().map(u64::cast_signed),
        gimli::DW_EH_PE_sleb128 => reader.read_sleb128(),
        gimli::DW_EH_PE_udata2 => reader.read_u16().map(i64::from),
        gimli::DW_EH_PE_sdata2 => reader.read_i16().map(i64::from),
        gimli::DW_EH_PE_udata4 => reader.read_u32().map(i64::from),
        gimli::DW_EH_PE_sdata4 => reader.read_i32().map(i64::from),
        gimli::DW_EH_PE_absptr | gimli::DW_EH_PE_udata8 | gimli::DW_EH_PE_sdata8 => {
            reader.read_i64()
        }
        _ => return Err(unknown(encoding)),
    }
    .map_err(text)
}

/// Bytes of a pointer, if all have the same size.
pub(super) fn size_of(encoding: DwEhPe) -> Option<usize> {
    match encoding.format() {
        gimli::DW_EH_PE_udata2 | gimli::DW_EH_PE_sdata2 => Some(2),
        gimli::DW_EH_PE_udata4 | gimli::DW_EH_PE_sdata4 => Some(4),
        gimli::DW_EH_PE_absptr | gimli::DW_EH_PE_udata8 | gimli::DW_EH_PE_sdata8 => Some(8),
        _ => None,
    }
}

pub(super) fn unknown(encoding: DwEhPe) -> String {
    format!("pointers in the unknown encoding {:#x}", encoding.0)
}

pub(super) fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

pub(super) fn u8(reader: &mut Bytes<'_>) -> Read<u8> {
    reader.read_u8().map_err(text)
}

pub(super) fn uleb(reader: &mut Bytes<'_>) -> Read<u64> {
    reader.read_uleb128().map_err(text)
}

pub(super) fn sleb(reader: &mut Bytes<'_>) -> Read<i64> {
    reader.read_sleb128().map_err(text)
}
