//! Code that chooses a function by its first argument. It uses `r10` and `r11` only, which hold no
//! argument in the calling conventions of C.

/// The relocation of a jump's displacement: R_X86_64_PLT32.
pub const JUMP: u32 = 4;
/// The relocation of an address: R_X86_64_64.
pub const ADDRESS: u32 = 1;

/// Code, and the places in it that the linker fills in.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Chooser {
    /// The instructions, and data behind them.
    pub bytes: Vec<u8>,
    /// The displacements of the jumps to the targets, in their order.
    pub targets: Vec<u64>,
    /// The displacement of the jump to where calls go that it has no target for, with a number pushed.
    pub miss: u64,
    /// Where the address of the table is to be, if there is one.
    pub table: Option<u64>,
}

impl Chooser {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn push_with(&mut self, opcode: &[u8], value: i32) {
        self.push(opcode);
        self.push(&value.to_le_bytes());
    }

    /// A displacement to be filled in; where it is.
    fn jump(&mut self, opcode: &[u8]) -> u64 {
        self.push(opcode);
        let place = self.bytes.len() as u64;
        self.push(&[0; 4]);
        place
    }

    fn finish(mut self, number: u32) -> Self {
        self.push_with(&[0x68], number.cast_signed()); // push $number
        self.miss = self.jump(&[0xe9]); // jmp miss
        self
    }
}

/// Compares the word `offset` bytes into the object that the first argument points to with each of
/// some keys, and jumps to that key's target; else to the miss, with `number` pushed.
#[must_use]
pub fn compare(offset: i32, keys: &[u64], number: u32) -> Chooser {
    let mut code = Chooser::default();
    let short = |key: u64| i32::try_from(key.cast_signed()).ok();
    if let [key] = keys
        && let Some(key) = short(*key)
    {
        code.push_with(&[0x48, 0x81, 0xbf], offset); // cmpq $key, offset(%rdi)
        code.push(&key.to_le_bytes());
        let target = code.jump(&[0x0f, 0x84]); // je target
        code.targets.push(target);
        return code.finish(number);
    }
    code.push_with(&[0x4c, 0x8b, 0x9f], offset); // mov offset(%rdi), %r11
    for &key in keys {
        if let Some(key) = short(key) {
            code.push_with(&[0x49, 0x81, 0xfb], key); // cmp $key, %r11
        } else {
            code.push(&[0x49, 0xba]); // movabs $key, %r10
            code.push(&key.to_le_bytes());
            code.push(&[0x4d, 0x39, 0xd3]); // cmp %r10, %r11
        }
        let target = code.jump(&[0x0f, 0x84]); // je target
        code.targets.push(target);
    }
    code.finish(number)
}

/// Looks the word `offset` bytes into the first argument's object up in a table of `{key, target}`
/// pairs, of which there are `mask + 1`: the pair is the one whose number is the key, shifted right by
/// `shift`, under the mask.
#[must_use]
pub fn look_up(offset: i32, shift: u8, mask: u32, number: u32) -> Chooser {
    let mut code = Chooser::default();
    code.push_with(&[0x4c, 0x8b, 0x9f], offset); // mov offset(%rdi), %r11
    code.push(&[0x4d, 0x89, 0xda]); // mov %r11, %r10
    code.push(&[0x49, 0xc1, 0xea, shift]); // shr $shift, %r10
    code.push_with(&[0x41, 0x81, 0xe2], mask.cast_signed()); // and $mask, %r10d
    code.push(&[0x49, 0xc1, 0xe2, 4]); // shl $4, %r10
    let table = code.jump(&[0x4c, 0x03, 0x15]); // add table(%rip), %r10
    code.push(&[0x4d, 0x3b, 0x1a]); // cmp (%r10), %r11
    code.push(&[0x75, 0x04]); // jne miss
    code.push(&[0x41, 0xff, 0x62, 0x08]); // jmp *8(%r10)
    let mut code = code.finish(number);
    let word = code.bytes.len().next_multiple_of(8);
    code.bytes.resize(word + 8, 0);
    let distance = (word as u64 - table - 4) as u32;
    code.bytes[table as usize..][..4].copy_from_slice(&distance.to_le_bytes());
    code.table = Some(word as u64);
    code
}

/// Bytes of [`ask`].
pub const ASK_SIZE: u64 = 10;

/// Code at `at` that goes to `entry` with `number` pushed; `None` out of reach.
#[must_use]
pub fn ask(at: u64, number: u32, entry: u64) -> Option<[u8; ASK_SIZE as usize]> {
    let distance = super::displacement(at + ASK_SIZE, entry)?;
    let mut bytes = [0; ASK_SIZE as usize];
    bytes[0] = 0x68; // push $number
    bytes[1..5].copy_from_slice(&number.to_le_bytes());
    bytes[5] = 0xe9; // jmp entry
    bytes[6..].copy_from_slice(&distance.to_le_bytes());
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use iced_x86::{Decoder, DecoderOptions, Formatter, GasFormatter, Instruction};

    use super::*;

    fn check(code: &Chooser, expected: &[&str]) {
        let end = code.table.unwrap_or(code.bytes.len() as u64) as usize;
        let mut decoder = Decoder::with_ip(64, &code.bytes[..end], 0, DecoderOptions::NONE);
        let mut found = Vec::new();
        let mut formatter = GasFormatter::new();
        let mut instruction = Instruction::default();
        while decoder.can_decode() && found.len() < expected.len() {
            decoder.decode_out(&mut instruction);
            let mut text = String::new();
            formatter.format(&instruction, &mut text);
            found.push(text);
        }
        assert_eq!(found, expected);
    }

    #[test]
    fn one_small_key_is_compared_in_memory() {
        let code = compare(8, &[0x1234], 7);
        check(
            &code,
            &["cmpq $0x1234,8(%rdi)", "je 0x0000000000000011", "push $7", "jmp 0x000000000000001B"],
        );
        assert_eq!((code.targets, code.miss, code.bytes.len()), (vec![13], 23, 27));
    }

    #[test]
    fn keys_of_any_size_are_compared() {
        let code = compare(0, &[u64::MAX, 1 << 40], 7);
        check(
            &code,
            &[
                "mov (%rdi),%r11",
                "cmp $0xFFFFFFFFFFFFFFFF,%r11",
                "je 0x0000000000000014",
                "movabs $0x10000000000,%r10",
                "cmp %r10,%r11",
                "je 0x0000000000000027",
                "push $7",
            ],
        );
    }

    #[test]
    fn a_table_is_looked_up() {
        let code = look_up(-8, 4, 63, 9);
        check(
            &code,
            &[
                "mov -8(%rdi),%r11",
                "mov %r11,%r10",
                "shr $4,%r10",
                "and $0x3F,%r10d",
                "shl $4,%r10",
                "add 0x38,%r10",
                "cmp (%r10),%r11",
                "jne 0x0000000000000029",
                "jmpq *8(%r10)",
                "push $9",
            ],
        );
        assert_eq!(code.table, Some(0x38));
    }
}
