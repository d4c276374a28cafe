//! Writes DWARF, and notes the places in it that depend on addresses.

use gimli::LittleEndian;
use gimli::write::{EndianVec, RelocateWriter, Relocation};

/// Bytes, and what is to be put into them.
#[derive(Clone)]
pub(crate) struct Writer {
    bytes: EndianVec<LittleEndian>,
    relocations: Vec<Relocation>,
}

impl Writer {
    pub(crate) fn new() -> Self {
        Self { bytes: EndianVec::new(LittleEndian), relocations: Vec::new() }
    }

    /// The bytes, and the places in them that depend on addresses.
    pub(crate) fn finish(self) -> (Vec<u8>, Vec<Relocation>) {
        (self.bytes.into_vec(), self.relocations)
    }
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
        self.relocations.push(relocation);
    }
}
