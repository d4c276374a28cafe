//! Stacks that are arrays, written as the code of functions would.

use proptest::prelude::*;

use super::*;
use crate::code::Function;
use crate::metadata::{Location, Place, Record, Rules};
use crate::symbol::{Name, SymbolId};

/// Where the array begins.
const STACK: u64 = 0x7000_0000;
const WORDS: usize = 4096;
const CODE: u64 = 0x10_0000;
const CODE_SIZE: u64 = 0x100;
const NATIVE: u64 = 0x99_0000;
/// A register that calls preserve.
const KEPT: u16 = native::PRESERVED[0];

/// A function: which registers it saves, and how large its frame is.
#[derive(Clone, Debug)]
struct Shape {
    has_frame_pointer: bool,
    saves: Vec<u16>,
    locals: u64,
    /// The word of its frame, from the stack pointer, that holds a reference.
    spilled: u64,
    /// The register that holds another.
    held: Option<u16>,
}

fn shape() -> impl Strategy<Value = Shape> {
    let is_other = |register: &u16| *register != native::FRAME_POINTER;
    let others: Vec<_> = native::PRESERVED.into_iter().filter(is_other).take(5).collect();
    let saves = prop::sample::subsequence(others.clone(), 0..=5);
    let held = prop::option::of(prop::sample::select(others));
    (any::<bool>(), saves, 1..20u64, any::<prop::sample::Index>(), held).prop_map(
        |(has_frame_pointer, saves, locals, spilled, held)| {
            let spilled = spilled.index(locals as usize) as u64;
            Shape { has_frame_pointer, saves, locals, spilled, held }
        },
    )
}

impl Shape {
    fn row(&self, start: u64) -> Row {
        let mut registers = vec![(native::RETURN_ADDRESS, Rule::Saved(-8))];
        let mut offset = -8;
        let frame_pointer = self.has_frame_pointer.then_some(native::FRAME_POINTER);
        for register in frame_pointer.into_iter().chain(self.saves.iter().copied()) {
            offset -= 8;
            registers.push((register, Rule::Saved(offset)));
        }
        let size = self.locals as i64 * 8 - offset;
        let cfa = match self.has_frame_pointer {
            true => Cfa::Register { register: native::FRAME_POINTER, offset: 16 },
            false => Cfa::Register { register: native::STACK_POINTER, offset: size },
        };
        Row { start, cfa, arguments: 0, registers: registers.into() }
    }

    fn function(&self, number: usize) -> Function {
        let start = start(number);
        let code = start..start + CODE_SIZE;
        let name = Name::from(format!("f{number}").as_str());
        let mut function = Function::new(SymbolId(0), name, "test".into(), code.clone());
        function.rules = Some(Rules::new(code, vec![self.row(start)]));
        let spilled =
            Place::Memory { register: native::STACK_POINTER, offset: self.spilled as i32 * 8 };
        let constants = [Place::Constant(0); 3];
        let held = self.held.map(|register| [Place::Register(register); 2]);
        let places = constants.into_iter().chain([spilled; 2]).chain(held.into_iter().flatten());
        let locations = places.map(|place| Location { place, size: 8 }).collect();
        let record = Record { function: 0, id: 0, offset: 0, locations, live_outs: Vec::new() };
        function.add_points([(start + CODE_SIZE, record)]);
        function
    }
}

fn start(number: usize) -> u64 {
    CODE + number as u64 * CODE_SIZE
}

fn index(register: u16) -> usize {
    native::register(register).expect("a register that a walk follows")
}

/// A thread that calls one function from the other.
struct Thread {
    words: Vec<u64>,
    registers: [u64; native::REGISTERS],
    fresh: u64,
}

impl Thread {
    fn new() -> Self {
        let mut registers = [0; native::REGISTERS];
        for (register, value) in registers.iter_mut().enumerate() {
            *value = 0xaa00 + register as u64;
        }
        registers[index(native::STACK_POINTER)] = STACK + 8 * WORDS as u64;
        Self { words: vec![0; WORDS], registers, fresh: 0x5_0000 }
    }

    fn register(&mut self, register: u16) -> &mut u64 {
        &mut self.registers[index(register)]
    }

    fn push(&mut self, value: u64) {
        let sp = self.register(native::STACK_POINTER);
        *sp -= 8;
        let at = (*sp - STACK) / 8;
        self.words[at as usize] = value;
    }

    fn fresh(&mut self) -> u64 {
        self.fresh += 16;
        self.fresh
    }

    /// Calls a function, which returns to `from`, and runs it up to its own call.
    fn call(&mut self, shape: &Shape, from: u64) {
        self.push(from);
        if shape.has_frame_pointer {
            let value = *self.register(native::FRAME_POINTER);
            self.push(value);
            *self.register(native::FRAME_POINTER) = *self.register(native::STACK_POINTER);
        }
        for &register in &shape.saves {
            let value = *self.register(register);
            self.push(value);
            *self.register(register) = self.fresh();
        }
        for _ in 0..shape.locals {
            let value = self.fresh();
            self.push(value);
        }
    }

    /// Leaves for native code through an entry that makes an anchor; gives its address.
    fn leave(&mut self, from: u64, previous: u64) -> u64 {
        self.push(from);
        for register in native::ANCHORED.into_iter().rev() {
            let value = *self.register(register);
            self.push(value);
        }
        self.push(previous);
        *self.register(native::STACK_POINTER)
    }

    fn read(&self, at: u64) -> Option<u64> {
        let index = at.checked_sub(STACK)? / 8;
        self.words.get(usize::try_from(index).ok()?).copied().filter(|_| at.is_multiple_of(8))
    }
}

/// What a frame must be found to be.
struct Expected {
    number: usize,
    registers: [u64; native::REGISTERS],
}

/// A thread that called the functions of some shapes, the last one of which has left for native code;
/// the address of its anchor, and its frames from the outermost inwards. Between those at `native`
/// and the next, it was in native code.
fn run(shapes: &[Shape], native: usize) -> (Thread, u64, Vec<Expected>) {
    let mut thread = Thread::new();
    let mut expected = Vec::new();
    let (mut from, mut previous) = (NATIVE, 0);
    for (number, shape) in shapes.iter().enumerate() {
        thread.call(shape, from);
        from = start(number) + CODE_SIZE;
        expected.push(Expected { number, registers: thread.registers });
        if number == native && number + 1 < shapes.len() {
            previous = thread.leave(from, previous);
            (0..5).for_each(|word| thread.push(word));
            for register in native::PRESERVED {
                *thread.register(register) = 0xbad;
            }
            from = NATIVE;
        }
    }
    let anchor = thread.leave(from, previous);
    (thread, anchor, expected)
}

fn map(shapes: &[Shape]) -> CodeMap {
    let map = CodeMap::new();
    map.insert(shapes.iter().enumerate().map(|(number, shape)| shape.function(number)));
    map
}

fn any_stack() -> impl Strategy<Value = (Vec<Shape>, usize)> {
    (prop::collection::vec(shape(), 1..12), 0..12usize)
}

proptest! {
    #[test]
    fn every_frame_is_found_with_its_registers((shapes, native) in any_stack()) {
        let map = map(&shapes);
        let (thread, anchor, expected) = run(&shapes, native);
        let mut walker = Walker::from_anchor(&map, anchor, |at| thread.read(at));
        for expected in expected.iter().rev() {
            let frame = walker.next().unwrap();
            prop_assert_eq!(frame.function.start, start(expected.number));
            prop_assert_eq!(frame.address(), frame.function.end - 1);
            for register in native::PRESERVED.into_iter().chain([native::STACK_POINTER]) {
                let value = expected.registers[index(register)];
                prop_assert_eq!(frame.registers.get(register), Some(value), "{}", register);
                if let Some(place) = frame.registers.place(register) {
                    prop_assert_eq!(thread.read(place), Some(value));
                }
            }
        }
        prop_assert!(walker.next().is_none());
        prop_assert_eq!(walker.end(), Some(End::Native));
        prop_assert_eq!(walker.registers().pc(), Some(NATIVE));
    }

    /// What a collector moves is found where it is now, by the code that goes on.
    #[test]
    fn references_follow_their_objects((shapes, native) in any_stack()) {
        const MOVED: u64 = 0x100_0000;
        let map = map(&shapes);
        let (mut thread, anchor, expected) = run(&shapes, native);
        let before = thread.words.clone();
        let frames: Vec<_> =
            Walker::from_anchor(&map, anchor, |at| thread.read(at)).collect();
        let forward = |object: u64| if object >= MOVED { object } else { object + MOVED };
        let words = std::cell::RefCell::new(&mut thread.words);
        let index = |slot| match slot {
            Slot::Memory(at) => ((at - STACK) / 8) as usize,
            Slot::Register(register) => panic!("an anchor saves {register}"),
        };
        for frame in &frames {
            let read = |slot| words.borrow()[index(slot)];
            let write = |slot, value| words.borrow_mut()[index(slot)] = value;
            frame.relocate(read, write, forward);
        }
        let frames = Walker::from_anchor(&map, anchor, |at| thread.read(at));
        for (frame, expected) in frames.zip(expected.iter().rev()) {
            let shape = &shapes[expected.number];
            let sp = expected.registers[self::index(native::STACK_POINTER)];
            let spilled = sp + 8 * shape.spilled;
            let old = before[((spilled - STACK) / 8) as usize];
            prop_assert_eq!(thread.read(spilled), Some(old + MOVED));
            if let Some(held) = shape.held {
                let old = expected.registers[self::index(held)];
                prop_assert_eq!(frame.registers.get(held), Some(old + MOVED));
            }
        }
    }

    /// A damaged stack is walked to some end, whatever is in it.
    #[test]
    fn damaged_stacks_end(
        (shapes, native) in any_stack(),
        damage in prop::collection::vec((0..200usize, 0..400u64), 1..8),
    ) {
        let map = map(&shapes);
        let (mut thread, anchor, _) = run(&shapes, native);
        for (word, value) in damage {
            let value = if value < 200 { STACK + 8 * (WORDS as u64 - value) } else { CODE + value };
            thread.words[WORDS - 1 - word] = value;
        }
        let mut walker = Walker::from_anchor(&map, anchor, |at| thread.read(at));
        prop_assert!(walker.by_ref().count() <= WORDS);
        prop_assert!(walker.end().is_some());
    }
}

fn plain() -> Shape {
    let saves = vec![KEPT];
    Shape { has_frame_pointer: false, saves, locals: 2, spilled: 0, held: Some(KEPT) }
}

#[test]
fn a_register_that_nobody_saved_is_its_own_slot() {
    let map = map(&[plain()]);
    let mut registers = Registers::new();
    registers.set(native::PROGRAM_COUNTER, start(1));
    registers.set(native::STACK_POINTER, STACK);
    registers.set(KEPT, 5);
    let frame = Walker::new(&map, registers, |_| Some(0)).next().unwrap();
    let slots: Vec<_> = frame.roots().map(|pair| pair.derived).collect();
    assert_eq!(slots, [Slot::Memory(STACK), Slot::Register(KEPT)]);
}

#[test]
fn references_into_objects_move_with_them() {
    let mut function = plain().function(0);
    let spilled = |offset| Place::Memory { register: native::STACK_POINTER, offset };
    let places = [Place::Constant(0), Place::Constant(0), Place::Constant(0)];
    // One object without a reference to its start, a null, and a constant.
    let pairs = [spilled(0), spilled(8), spilled(16), spilled(16), spilled(0), Place::Constant(0)];
    let locations = places.into_iter().chain(pairs).map(|place| Location { place, size: 8 });
    let record = Record {
        function: 0,
        id: 0,
        offset: 0,
        locations: locations.collect(),
        live_outs: Vec::new(),
    };
    function.add_points([(start(0) + 16, record)]);
    let map = CodeMap::new();
    map.insert([function]);
    let mut registers = Registers::new();
    registers.set(native::PROGRAM_COUNTER, start(0) + 16);
    registers.set(native::STACK_POINTER, STACK);
    let frame = Walker::new(&map, registers, |_| Some(0)).next().unwrap();
    let words = std::cell::RefCell::new([0x1000, 0x1018, 0]);
    let index = |slot| match slot {
        Slot::Memory(at) => ((at - STACK) / 8) as usize,
        Slot::Register(_) => unreachable!("none holds a reference"),
    };
    let read = |slot| words.borrow()[index(slot)];
    frame.relocate(
        read,
        |slot, value| words.borrow_mut()[index(slot)] = value,
        |object| object * 2,
    );
    assert_eq!(*words.borrow(), [0x2000, 0x2018, 0]);
}

#[test]
fn interrupted_code_is_not_in_a_call() {
    let map = map(&[plain(), plain()]);
    let mut registers = Registers::new();
    registers.set(native::PROGRAM_COUNTER, start(1));
    registers.set(native::STACK_POINTER, STACK);
    let mut walker = Walker::interrupted(&map, registers, |_| Some(NATIVE));
    assert_eq!(walker.next().unwrap().function.start, start(1));
    let mut walker = Walker::new(&map, registers, |_| Some(NATIVE));
    assert_eq!(walker.next().unwrap().function.start, start(0));
    assert_eq!(walker.next().map(|frame| frame.pc), None);
}

#[test]
fn code_without_rules_ends_the_walk_after_its_frame() {
    let code = start(0)..start(0) + 16;
    let function = Function::new(SymbolId(0), "bare".into(), "test".into(), code);
    let map = CodeMap::new();
    map.insert([function]);
    let mut registers = Registers::new();
    registers.set(native::PROGRAM_COUNTER, start(0) + 8);
    let mut walker = Walker::new(&map, registers, |_| Some(0));
    assert_eq!(walker.next().unwrap().cfa, None);
    assert!(walker.next().is_none());
    assert_eq!(walker.end(), Some(End::NoRules));
}

#[test]
fn frame_addresses_can_be_computed_by_expressions() {
    // DW_OP_breg of the stack pointer, 8, DW_OP_deref: the word above the stack pointer.
    let cfa = Cfa::Expression([0x70 + native::STACK_POINTER as u8, 8, 0x06].into());
    // DW_OP_lit8, DW_OP_minus: from the canonical frame address down.
    let saved = Rule::SavedAt([0x38, 0x1c].into());
    let registers: [_; 2] = [(native::RETURN_ADDRESS, saved), (KEPT, Rule::Value(-64))];
    let row = Row { start: start(0), cfa, arguments: 0, registers: registers.into() };
    let code = start(0)..start(0) + 16;
    let mut function = Function::new(SymbolId(0), "f".into(), "test".into(), code.clone());
    function.rules = Some(Rules::new(code, vec![row]));
    let map = CodeMap::new();
    map.insert([function]);
    let mut registers = Registers::new();
    registers.set(native::PROGRAM_COUNTER, start(0) + 8);
    registers.set(native::STACK_POINTER, STACK);
    let words = [(STACK + 8, STACK + 0x100), (STACK + 0xf8, NATIVE)];
    let read = |at| words.iter().find(|word| word.0 == at).map(|word| word.1);
    let mut walker = Walker::new(&map, registers, read);
    assert_eq!(walker.next().unwrap().cfa, Some(STACK + 0x100));
    assert!(walker.next().is_none());
    let registers = walker.registers();
    assert_eq!((registers.pc(), registers.get(KEPT)), (Some(NATIVE), Some(STACK + 0xc0)));
    assert_eq!(registers.place(native::PROGRAM_COUNTER), Some(STACK + 0xf8));
}

/// A function that was interrupted before it saved anything has no frame, and returns to where a
/// register says.
#[cfg(target_arch = "aarch64")]
#[test]
fn interrupted_code_may_have_saved_nothing() {
    let bare = |start| Row {
        start,
        cfa: Cfa::Register { register: native::STACK_POINTER, offset: 0 },
        arguments: 0,
        registers: [].into(),
    };
    let code = start(1)..start(1) + CODE_SIZE;
    let mut leaf = Function::new(SymbolId(0), "leaf".into(), "test".into(), code.clone());
    leaf.rules = Some(Rules::new(code, vec![bare(start(1))]));
    let map = CodeMap::new();
    map.insert([plain().function(0), leaf]);
    let mut registers = Registers::new();
    registers.set(native::PROGRAM_COUNTER, start(1));
    registers.set(native::RETURN_ADDRESS, start(0) + 16);
    registers.set(native::STACK_POINTER, STACK);
    let mut walker = Walker::interrupted(&map, registers, |_| Some(NATIVE));
    assert_eq!(walker.next().unwrap().function.start, start(1));
    let caller = walker.next().unwrap();
    assert_eq!((caller.pc, caller.registers.sp()), (start(0) + 16, Some(STACK)));
    // In a call it would go round in a circle.
    let mut walker = Walker::new(&map, registers, |_| Some(NATIVE));
    walker.resume({
        registers.set(native::PROGRAM_COUNTER, start(1) + 4);
        registers
    });
    assert_eq!(walker.by_ref().count(), 1);
    assert_eq!(walker.end(), Some(End::Backwards));
}
