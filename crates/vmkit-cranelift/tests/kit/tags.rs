//! Debug tags: where the variables of the source are, at calls and at sequence points.
#![expect(unsafe_code, reason = "calls compiled code, and reads the stack below it")]

use std::cell::RefCell;
use std::sync::Arc;

use cranelift_codegen::ir::{
    DebugTag, InstBuilder, StackSlotData, StackSlotKey, StackSlotKind, types,
};
use vmkit::code::CodeMap;
use vmkit::metadata::Tag;
use vmkit::walk::{Anchor, Frame, Walker};
use vmkit::{Addr, Session};
use vmkit_cranelift::{Cranelift, Level, Options};

use crate::bench::{begin, call, plus, signature, unary};

thread_local! {
    static MAP: RefCell<Arc<CodeMap>> = RefCell::default();
    /// The numbers among the tags of each frame, and the keys and contents of the slots.
    static SEEN: RefCell<Vec<Tags>> = RefCell::default();
}

#[derive(PartialEq, Eq, Debug)]
struct Tags {
    numbers: Vec<u32>,
    slots: Vec<(u64, u64)>,
}

fn word(at: u64) -> Option<u64> {
    // SAFETY: what is read is the stack of this thread, whose frames wait.
    Some(unsafe { (at as *const u64).read() })
}

fn tags(frame: &Frame) -> Tags {
    let mut found = Tags { numbers: Vec::new(), slots: Vec::new() };
    for tag in frame.tags() {
        match *tag {
            Tag::Number(number) => found.numbers.push(number),
            Tag::Slot { key, place } => {
                let at = frame.value(place, word).unwrap();
                found.slots.push((key.unwrap(), word(at).unwrap()));
            }
        }
    }
    found
}

extern "C" fn look(anchor: &mut Anchor) {
    let map = MAP.with_borrow(Arc::clone);
    let walker = Walker::from_anchor(&map, std::ptr::from_mut(anchor) as u64, word);
    SEEN.set(walker.map(|frame| tags(&frame)).collect());
}

vmkit::native_entry! {
    /// Looks at what the tags of its callers say.
    fn look_entry() = look;
}

#[test]
fn variables_are_found_in_frames_and_in_what_is_inlined() {
    for (level, inlining) in [(Level::None, false), (Level::Speed, false), (Level::Speed, true)] {
        let map = Arc::new(CodeMap::new());
        MAP.set(map.clone());
        let session = Session::builder().listener(map.clone()).build().unwrap();
        let options = Options { level, inlining, ..Options::default() };
        let cranelift = Cranelift::new(&session, options).unwrap();
        session.define_absolute("look", Addr(look_entry as *const () as u64)).unwrap();
        cranelift
            .define_lazy("inner", unary(), |builder, building| {
                let params = begin(builder);
                let kind = StackSlotKind::ExplicitSlot;
                let slot = |key| StackSlotData::new_with_key(kind, 8, 3, StackSlotKey::new(key));
                let [_, slot] = [8, 9].map(|key| builder.create_sized_stack_slot(slot(key)));
                let ten = builder.ins().imul_imm_s(params[0], 10);
                builder.ins().stack_store(types::I64, ten, slot, 0);
                let tags = [DebugTag::User(21), DebugTag::StackSlot(slot)];
                let point = builder.ins().sequence_point();
                builder.func.debug_tags.set(point, [DebugTag::User(20)]);
                let look = building.function(builder.func, "look", &signature(&[], &[]));
                let look = builder.ins().call(look, &[]);
                builder.func.debug_tags.set(look, tags);
                let after = builder.ins().stack_load(types::I64, types::I64, slot, 0);
                builder.ins().return_(&[after]);
                Ok(())
            })
            .unwrap();
        cranelift
            .define_lazy("outer", unary(), |builder, building| {
                let params = begin(builder);
                let inner = building.function(builder.func, "inner", &unary());
                let inner = builder.ins().call(inner, &params);
                builder.func.debug_tags.set(inner, [DebugTag::User(1)]);
                let result = builder.inst_results(inner)[0];
                builder.ins().return_(&[result]);
                Ok(())
            })
            .unwrap();
        cranelift.define_lazy("above", unary(), plus("outer", 1)).unwrap();
        assert_eq!(call(&cranelift, "above", 4), 41, "{level:?}");
        let is_inlined = map.functions().len() == 1;
        assert_eq!(is_inlined, inlining, "{level:?}");
        let (inner, outer) = match inlining {
            true => (vec![1, 21], Vec::new()),
            false => (vec![21], vec![1]),
        };
        SEEN.with_borrow(|seen| {
            let innermost = Tags { numbers: inner, slots: vec![(9, 40)] };
            assert_eq!(seen[0], innermost, "{level:?}");
            let numbers: Vec<_> =
                seen[1..].iter().flat_map(|tags| &tags.numbers).copied().collect();
            assert_eq!(numbers, outer, "{level:?}");
        });
        let function = map.functions().into_iter().find(|function| {
            let mut points = function.tagged().filter(|(_, is_call)| !is_call);
            points.any(|(at, _)| function.tags(at, false).last() == Some(&Tag::Number(20)))
        });
        assert!(function.is_some(), "the sequence point has an address ({level:?})");
        assert!(map.take_errors().is_empty());
    }
}
