//! Polls: functions ask where they begin, and in their loops, whether to stop.
//!
//! They are there when Cranelift's frontend looks for what lives through calls, so that references are
//! found in the frames of threads that stand still. The one where a function begins goes again where the
//! function becomes part of another one.

use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::{
    AbiParam, Block, Function, Inst, InstBuilder, InstructionData, MemFlagsData, Opcode, Signature,
    types,
};
use cranelift_codegen::isa::TargetIsa;
use rustc_hash::FxHashMap;
use vmkit::Session;

use crate::names;

/// What the virtual machine defines: a word that is not zero while threads are to stop, and what to
/// call then, with the word's address (see `vmkit::safepoint::Safepoints::symbols`).
const FLAG: &str = "vmkit_safepoint_flag";
const STOP: &str = "vmkit_safepoint";

/// The poll where a function begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Poll {
    load: Inst,
    branch: Inst,
}

/// Puts polls into a function that is built and not finalized; gives the first one.
pub(crate) fn insert(
    session: &Session,
    isa: &dyn TargetIsa,
    function: &mut Function,
) -> Option<Poll> {
    let entry = function.layout.entry_block()?;
    let headers = headers(function, entry);
    let first = poll(session, isa, function, entry);
    for header in headers {
        poll(session, isa, function, header);
    }
    first
}

/// A copy of a function that does not poll where it begins.
pub(crate) fn without(function: &Function, poll: Poll) -> Function {
    let mut function = function.clone();
    if let InstructionData::Brif { blocks: [_, on], .. } = function.dfg.insts[poll.branch] {
        let jump = InstructionData::Jump { opcode: Opcode::Jump, destination: on };
        function.dfg.insts[poll.branch] = jump;
        function.dfg.insts[poll.load] =
            InstructionData::UnaryImm { opcode: Opcode::Iconst, imm: 0.into() };
    }
    function
}

/// Where loops begin: blocks that are reached from within what they lead to.
fn headers(function: &Function, entry: Block) -> Vec<Block> {
    let successors = |block| function.block_successors(block).collect::<Vec<_>>();
    let mut headers = Vec::new();
    // Whether a block is on the way to where the search is.
    let mut is_open: FxHashMap<Block, bool> = [(entry, true)].into_iter().collect();
    let mut way = vec![(entry, successors(entry))];
    while let Some((block, next)) = way.last_mut() {
        let Some(successor) = next.pop() else {
            is_open.insert(*block, false);
            way.pop();
            continue;
        };
        match is_open.get(&successor) {
            Some(true) if !headers.contains(&successor) => headers.push(successor),
            Some(_) => {}
            None => {
                is_open.insert(successor, true);
                way.push((successor, successors(successor)));
            }
        }
    }
    headers
}

/// Puts a poll where a block begins, whose instructions go on in another one.
fn poll(
    session: &Session,
    isa: &dyn TargetIsa,
    function: &mut Function,
    block: Block,
) -> Option<Poll> {
    let pointer = isa.pointer_type();
    let flag = names::import_data(function, session.symbol(FLAG), false);
    let mut signature = Signature::new(isa.default_call_conv());
    signature.params.push(AbiParam::new(pointer));
    let stop = names::import_function(function, session.symbol(STOP), signature);
    let first = function.layout.first_inst(block)?;
    let [on, cold] = [function.dfg.make_block(), function.dfg.make_block()];
    function.layout.split_block(on, first);
    function.layout.append_block(cold);
    function.layout.set_cold(cold);
    let mut cursor = FuncCursor::new(function).at_bottom(block);
    let address = cursor.ins().symbol_value(pointer, flag);
    // An atomic one: what others write meanwhile is not forgotten.
    let is_raised = cursor.ins().atomic_load(types::I32, MemFlagsData::trusted(), address);
    let branch = cursor.ins().brif(is_raised, cold, &[], on, &[]);
    cursor.goto_bottom(cold);
    cursor.ins().call(stop, &[address]);
    cursor.ins().jump(on, &[]);
    let load = function.dfg.value_def(is_raised).inst()?;
    Some(Poll { load, branch })
}
