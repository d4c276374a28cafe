//! Unwind records for the system's unwinder, in the form of `.eh_frame` (Linux Standard Base,
//! "Exception Frames").

use std::sync::Arc;

use cranelift_codegen::CompiledCode;
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::isa::unwind::{UnwindInfo, UnwindInst};
use gimli::DwEhPe;
use gimli::constants::{DW_EH_PE_absptr, DW_EH_PE_pcrel, DW_EH_PE_sdata4};
use gimli::write::{Address, EhFrame, FrameTable, Relocation, RelocationTarget};
use parking_lot::Mutex;

use crate::dwarf::Writer;

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
#[derive(Debug)]
pub(crate) struct Records {
    pub(crate) bytes: Vec<u8>,
    pub(crate) references: Vec<Reference>,
}

/// The place and size of a function's extent in its record, after its address.
const EXTENT: usize = 4;
/// So many different records are remembered.
const KNOWN: usize = 32;

/// Records that were written, by what their functions do to the frame: most functions do the same,
/// and differ in their extent only.
#[derive(Default)]
pub(crate) struct Written(Mutex<Vec<Known>>);

struct Known {
    frame: Vec<(u32, UnwindInst)>,
    has_table: bool,
    records: Arc<Records>,
}

fn reference(relocation: &Relocation) -> Option<Reference> {
    let RelocationTarget::Symbol(number) = relocation.target else { return None };
    let is_relative = relocation.size == 4;
    Some(Reference { offset: relocation.offset as u64, of: OF[number], is_relative })
}

fn address(of: Of) -> Address {
    Address::Symbol { symbol: of as usize, addend: 0 }
}

impl Written {
    /// The records of a compiled function, which has a table of handlers or not; none where the
    /// instruction set has no such records.
    pub(crate) fn records(
        &self,
        isa: &dyn TargetIsa,
        code: &CompiledCode,
        has_table: bool,
    ) -> Result<Option<Arc<Records>>, String> {
        let frame = &code.buffer.unwind_info[..];
        let is_it = |known: &Known| known.has_table == has_table && known.frame == frame;
        let mut known = self.0.lock();
        if let Some(at) = known.iter().position(is_it) {
            // Those that are asked for most come first.
            known.swap(at, at / 2);
            return Ok(Some(known[at / 2].records.clone()));
        }
        drop(known);
        let Some(records) = records(isa, code, has_table)?.map(Arc::new) else { return Ok(None) };
        let frame = frame.to_vec();
        let mut known = self.0.lock();
        known.truncate(KNOWN - 1);
        known.push(Known { frame, has_table, records: records.clone() });
        Ok(Some(records))
    }
}

impl Records {
    /// The bytes, for a function of `size` bytes, in a list that is empty yet.
    pub(crate) fn of_size(&self, size: usize, mut bytes: Vec<u8>) -> Vec<u8> {
        bytes.extend_from_slice(&self.bytes);
        let mut of = self.references.iter();
        if let Some(code) = of.find(|reference| reference.of == Of::Code) {
            let at = code.offset as usize + EXTENT;
            bytes[at..at + EXTENT].copy_from_slice(&(size as u32).to_le_bytes());
        }
        bytes
    }
}

fn records(
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
    let mut section = EhFrame(Writer::new());
    table.write_eh_frame(&mut section).map_err(|error| error.to_string())?;
    let (bytes, relocations) = section.0.finish();
    Ok(Some(Records { bytes, references: relocations.iter().filter_map(reference).collect() }))
}

#[cfg(test)]
mod tests {
    use cranelift_codegen::Context;
    use cranelift_codegen::control::ControlPlane;
    use cranelift_codegen::ir::{AbiParam, Function, InstBuilder, Signature, UserFuncName, types};
    use cranelift_codegen::isa::CallConv;
    use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};

    use super::*;
    use crate::isa::native;

    /// The code of a function that adds so many numbers to its parameter, and calls between.
    fn context(isa: &dyn TargetIsa, numbers: i64, calls: usize) -> Context {
        let mut signature = Signature::new(CallConv::SystemV);
        signature.params.push(AbiParam::new(types::I64));
        signature.returns.push(AbiParam::new(types::I64));
        let mut function =
            Function::with_name_signature(UserFuncName::default(), signature.clone());
        let mut reused = FunctionBuilderContext::new();
        let mut builder = FunctionBuilder::new(&mut function, &mut reused);
        let callee = builder.import_signature(signature);
        let block = builder.create_block();
        builder.append_block_params_for_function_params(block);
        builder.switch_to_block(block);
        let mut sum = builder.block_params(block)[0];
        for number in 0..numbers {
            sum = builder.ins().iadd_imm_s(sum, number << 32);
        }
        let first = sum;
        for _ in 0..calls {
            let call = builder.ins().call_indirect(callee, sum, &[sum]);
            let result = builder.inst_results(call)[0];
            sum = builder.ins().iadd(result, first);
        }
        builder.ins().return_(&[sum]);
        builder.seal_all_blocks();
        builder.finalize(isa.frontend_config());
        let mut context = Context::for_function(function);
        context.compile(isa, &mut ControlPlane::default()).unwrap();
        context
    }

    #[test]
    fn records_that_are_known_are_as_if_written_anew() {
        let isa = native(&[]).unwrap();
        let written = Written::default();
        for (numbers, calls) in [(0, 0), (5, 0), (5, 1), (0, 1), (0, 2), (9, 2)] {
            let context = context(&*isa, numbers, calls);
            let code = context.compiled_code().unwrap();
            let size = code.buffer.data().len();
            for has_table in [false, true, false] {
                let expected = records(&*isa, code, has_table).unwrap().unwrap();
                let known = written.records(&*isa, code, has_table).unwrap().unwrap();
                assert_eq!(known.of_size(size, Vec::new()), expected.bytes, "{numbers} {calls}");
                assert_eq!(known.references, expected.references);
            }
        }
        // The first two do the same to the frame.
        assert!(written.0.lock().len() <= 10);
    }
}
