//! Functions that wait for their first call, in little memory.

use std::fmt::Display;

use cranelift_codegen::ir::function::FunctionStencil;
use cranelift_codegen::ir::{Function, SourceLoc, UserExternalName, UserFuncName};
use parking_lot::Mutex;
use vmkit::{Error, Result};

use crate::dictionary::Dictionary;

/// A function in CLIF, as bytes: of functions that are much alike, what is different.
pub(crate) struct Packed(Box<[u8]>);

/// Where functions are packed, and unpacked.
#[derive(Default)]
pub(crate) struct Packer(Mutex<Room>);

#[derive(Default)]
struct Room {
    whole: Vec<u8>,
    short: Vec<u8>,
    dictionary: Dictionary,
}

impl Packer {
    /// Packs a function, which has other names from then on: what `rename` makes of its own.
    pub(crate) fn pack(
        &self,
        function: &Function,
        mut rename: impl FnMut(&UserExternalName) -> Result<UserExternalName>,
    ) -> Result<Packed> {
        let names = function.params.user_named_funcs().values();
        let names = names.map(|name| rename(name).map(|name| (name.namespace, name.index)));
        let names: Vec<_> = names.collect::<Result<_>>()?;
        let whole =
            (&function.stencil, &function.name, names, function.params.base_srcloc().bits());
        let mut room = self.0.lock();
        let Room { whole: buffer, short, dictionary } = &mut *room;
        buffer.clear();
        *buffer = postcard::to_extend(&whole, std::mem::take(buffer))
            .map_err(|error| Error::other(format!("a function is not kept: {error}")))?;
        short.clear();
        dictionary.shorten(buffer, short);
        Ok(Packed(Box::from(&short[..])))
    }

    /// A function that was packed here.
    pub(crate) fn unpack(&self, packed: &Packed) -> Result<Function> {
        type Whole = (FunctionStencil, UserFuncName, Vec<(u32, u32)>, u32);
        let fail = |why: &dyn Display| Error::other(format!("a function was not kept: {why}"));
        let bytes = self.0.lock().dictionary.lengthen(&packed.0);
        let bytes = bytes.ok_or_else(|| fail(&"it was packed elsewhere"))?;
        let whole: Whole = postcard::from_bytes(&bytes).map_err(|error| fail(&error))?;
        let (stencil, name, names, location) = whole;
        let mut function = Function::with_name_signature(name, stencil.signature.clone());
        function.stencil = stencil;
        let params = &mut function.params;
        // Several may have become the same.
        let numbered = |number| UserExternalName::new(u32::MAX, number);
        let numbers: Vec<_> = (0..names.len() as u32)
            .map(|number| params.ensure_user_func_name(numbered(number)))
            .collect();
        for (number, (namespace, index)) in numbers.into_iter().zip(names) {
            params.reset_user_func_name(number, UserExternalName { namespace, index });
        }
        let location = SourceLoc::new(location);
        if !location.is_default() {
            params.ensure_base_srcloc(location);
        }
        Ok(function)
    }
}

#[cfg(test)]
mod tests {
    use cranelift_codegen::ir::{
        AbiParam, BlockArg, BlockCall, ExtFuncData, ExternalName, GlobalValueData, InstBuilder,
        JumpTableData, Signature, StackSlotData, StackSlotKind, types,
    };
    use cranelift_codegen::isa::CallConv;
    use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};

    use super::*;

    /// A function that has something of everything: names of functions and data, a jump table, a stack
    /// slot, constants, references, places in a source.
    fn function() -> Function {
        let mut signature = Signature::new(CallConv::SystemV);
        signature.params.extend([types::I64, types::F64].map(AbiParam::new));
        signature.returns.push(AbiParam::new(types::I64));
        let name = UserFuncName::user(3, 4);
        let mut function = Function::with_name_signature(name, signature.clone());
        let [callee, datum] = [(0, 7), (1, 8)].map(|(namespace, index)| {
            let name = UserExternalName { namespace, index };
            ExternalName::user(function.declare_imported_user_function(name))
        });
        let mut reused = FunctionBuilderContext::new();
        let mut builder = FunctionBuilder::new(&mut function, &mut reused);
        let signature = builder.import_signature(signature);
        let callee = builder.import_function(ExtFuncData {
            name: callee,
            signature,
            colocated: false,
            patchable: false,
        });
        let datum = builder.create_global_value(GlobalValueData::Symbol {
            name: datum,
            offset: 16.into(),
            colocated: true,
            tls: false,
        });
        let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, 24, 3);
        let slot = builder.create_sized_stack_slot(slot);
        let [entry, other, end] = [(); 3].map(|()| builder.create_block());
        let result = builder.append_block_param(end, types::I64);
        builder.append_block_params_for_function_params(entry);
        builder.switch_to_block(entry);
        builder.set_srcloc(SourceLoc::new(100));
        let params = builder.block_params(entry).to_vec();
        builder.declare_value_needs_stack_map(params[0]);
        let table = [other, end].map(|block| {
            let args: &[_] = if block == end { &[BlockArg::Value(params[0])] } else { &[] };
            BlockCall::new(block, args.iter().copied(), &mut builder.func.dfg.value_lists)
        });
        let table = JumpTableData::new(table[1], &table);
        let table = builder.create_jump_table(table);
        let index = builder.ins().ireduce(types::I32, params[0]);
        builder.ins().br_table(index, table);
        builder.switch_to_block(other);
        builder.set_srcloc(SourceLoc::new(107));
        let constant = builder.func.dfg.constants.insert((&[5; 16][..]).into());
        let vector = builder.ins().vconst(types::I8X16, constant);
        builder.ins().stack_store(types::I64, vector, slot, 0);
        let address = builder.ins().symbol_value(types::I64, datum);
        let call = builder.ins().call(callee, &[address, params[1]]);
        let given = builder.inst_results(call)[0];
        let sum = builder.ins().iadd(given, params[0]);
        builder.ins().jump(end, &[BlockArg::Value(sum)]);
        builder.switch_to_block(end);
        builder.ins().return_(&[result]);
        builder.seal_all_blocks();
        builder.finalize(crate::isa::native(&[]).unwrap().frontend_config());
        function
    }

    #[test]
    fn a_packed_function_is_what_it_was() {
        let packer = Packer::default();
        for most in [700, 64] {
            let function = function();
            let packed = packer.pack(&function, |name| Ok(name.clone())).unwrap();
            let unpacked = packer.unpack(&packed).unwrap();
            assert!(unpacked == function, "{unpacked}\n{function}");
            assert_eq!(unpacked.params.base_srcloc(), SourceLoc::new(100));
            assert!(packed.0.len() < most, "{} bytes", packed.0.len());
        }
    }

    #[test]
    fn names_are_others_then() {
        let packer = Packer::default();
        let other = UserExternalName::new(9, 9);
        for renamed in [vec![(9, 9), (9, 9)], vec![(1, 8), (0, 7)], vec![(u32::MAX, 1), (5, 5)]] {
            let names = |function: &Function| {
                let names = function.params.user_named_funcs().values();
                names.map(|name| (name.namespace, name.index)).collect::<Vec<_>>()
            };
            let mut next = renamed.iter();
            let rename = |_: &UserExternalName| {
                let &(namespace, index) = next.next().unwrap();
                Ok(UserExternalName { namespace, index })
            };
            let packed = packer.pack(&function(), rename).unwrap();
            assert_eq!(names(&packer.unpack(&packed).unwrap()), renamed);
        }
        let refused = packer.pack(&function(), |_| Err(Error::other("no such name")));
        assert!(refused.is_err());
        let packed = packer.pack(&function(), |_| Ok(other.clone())).unwrap();
        assert!(packer.unpack(&packed).is_ok());
        assert!(Packer::default().unpack(&packed).is_err());
    }
}
