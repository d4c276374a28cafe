//! Code that chooses a function by its first argument. It uses `x15` to `x17` only, which hold no
//! argument in the calling conventions of C.

use super::rows::{LOW64, MOVE0, NEAR};
use super::{B, number, redirected};

/// The relocation of a jump: R_AARCH64_JUMP26.
pub const JUMP: u32 = 282;
/// The relocation of an address: R_AARCH64_ABS64.
pub const ADDRESS: u32 = 257;

/// Code, and the places in it that the linker fills in.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Chooser {
    /// The instructions, and data behind them.
    pub bytes: Vec<u8>,
    /// The jumps to the targets, in their order.
    pub targets: Vec<u64>,
    /// The jump to where calls go that it has no target for, with a number in `x16`.
    pub miss: u64,
    /// Where the address of the table is to be, if there is one.
    pub table: Option<u64>,
}

impl Chooser {
    fn push(&mut self, word: u32) {
        self.bytes.extend_from_slice(&word.to_le_bytes());
    }

    /// An instruction whose target is to be filled in; where it is.
    fn jump(&mut self, word: u32) -> u64 {
        let place = self.bytes.len() as u64;
        self.push(word);
        place
    }

    /// The word `offset` bytes into the object that `x0` points to, into `x17`.
    fn load(&mut self, offset: i32) {
        if (0..=4088).contains(&offset) && offset % 8 == 0 {
            self.push(LOW64.put(0xf940_0011, offset.into()) as u32); // ldr x17, [x0, #offset]
        } else {
            number(offset.cast_unsigned()).into_iter().for_each(|word| self.push(word));
            self.push(0xf870_c811); // ldr x17, [x0, w16, sxtw]
        }
    }

    /// A key into `x16`.
    fn key(&mut self, key: u64) {
        self.push(MOVE0.put(0xd280_0010, key.into()) as u32); // movz x16, #key
        for (shift, word) in [(16, 0xf2a0_0010), (32, 0xf2c0_0010), (48, 0xf2e0_0010)] {
            let part = key >> shift & 0xffff;
            if part != 0 {
                self.push(MOVE0.put(word, part.into()) as u32); // movk x16, #part, lsl #shift
            }
        }
    }

    fn finish(mut self, miss: u32) -> Self {
        number(miss).into_iter().for_each(|word| self.push(word)); // movz, movk w16, #number
        self.miss = self.jump(B); // b miss
        self
    }
}

/// Compares the word `offset` bytes into the object that the first argument points to with each of
/// some keys, and jumps to that key's target; else to the miss, with `number` in `x16`.
#[must_use]
pub fn compare(offset: i32, keys: &[u64], number: u32) -> Chooser {
    let mut code = Chooser::default();
    code.load(offset);
    for &key in keys {
        code.key(key);
        code.push(0xeb10_023f); // cmp x17, x16
        code.push(0x5400_0041); // b.ne over the jump
        let target = code.jump(B); // b target
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
    let (shift, last) = (u32::from(shift), u32::from(shift) + mask.count_ones().max(1) - 1);
    code.load(offset);
    code.push(0xd340_0230 | shift << 16 | last << 10); // ubfx x16, x17, #shift, #bits
    let table = code.jump(0x5800_000f); // ldr x15, table
    code.push(0x8b10_11f0); // add x16, x15, x16, lsl #4
    // Whoever enters a pair writes its target before its key.
    code.push(0xc8df_fe0f); // ldar x15, [x16]
    code.push(0xf940_0610); // ldr x16, [x16, #8]
    code.push(0xeb11_01ff); // cmp x15, x17
    code.push(0x5400_0041); // b.ne miss
    code.push(0xd61f_0200); // br x16
    let mut code = code.finish(number);
    let word = code.bytes.len().next_multiple_of(8);
    code.bytes.resize(word + 8, 0);
    let load = NEAR.put(0x5800_000f, (word as u64 - table).into()) as u32;
    code.bytes[table as usize..][..4].copy_from_slice(&load.to_le_bytes());
    code.table = Some(word as u64);
    code
}

/// Bytes of [`ask`].
pub const ASK_SIZE: u64 = 12;

/// Code at `at` that goes to `entry` with `number` in `x16`; `None` out of reach.
#[must_use]
pub fn ask(at: u64, number: u32, entry: u64) -> Option<[u8; ASK_SIZE as usize]> {
    let [low, high] = super::number(number);
    Some(super::code([
        low,                           // movz w16, #number
        high,                          // movk w16, #number >> 16, lsl #16
        redirected(at + 8, B, entry)?, // b entry
    ]))
}

#[cfg(test)]
mod tests {
    use super::super::tests::decode;
    use super::*;

    fn check(code: &Chooser, expected: &[&str]) {
        let end = code.table.unwrap_or(code.bytes.len() as u64) as usize;
        assert_eq!(decode(&code.bytes[..end]), expected);
    }

    #[test]
    fn keys_of_any_size_are_compared() {
        let code = compare(8, &[0x1234, 1 << 40 | 5], 7);
        check(
            &code,
            &[
                "ldr x17, [x0, #0x8]",
                "mov x16, #0x1234",
                "cmp x17, x16",
                "b.ne $+0x8",
                "b $+0x0",
                "mov x16, #0x5",
                "movk x16, #0x100, lsl #32",
                "cmp x17, x16",
                "b.ne $+0x8",
                "b $+0x0",
                "mov w16, #0x7",
                "movk w16, #0x0, lsl #16",
                "b $+0x0",
            ],
        );
        assert_eq!((code.targets, code.miss, code.bytes.len()), (vec![16, 36], 48, 52));
    }

    #[test]
    fn a_table_is_looked_up() {
        let code = look_up(-8, 4, 63, 9);
        check(
            &code,
            &[
                "mov w16, #0xfff8",
                "movk w16, #0xffff, lsl #16",
                "ldr x17, [x0, w16, sxtw #0]",
                "ubfx x16, x17, #0x4, #0x6",
                "ldr x15, $+0x28",
                "add x16, x15, x16, lsl #4",
                "ldar x15, [x16]",
                "ldr x16, [x16, #0x8]",
                "cmp x15, x17",
                "b.ne $+0x8",
                "br x16",
                "mov w16, #0x9",
                "movk w16, #0x0, lsl #16",
                "b $+0x0",
            ],
        );
        assert_eq!(code.table, Some(0x38));
    }
}
