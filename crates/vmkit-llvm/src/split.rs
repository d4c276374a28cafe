//! Bitcode files with several modules, as compilers write them for link-time optimization in two parts
//! (`-fsplit-lto-unit`).
//!
//! After its magic number, a file is a row of blocks, each a whole number of words: two words of a header
//! (LLVM's "LLVM Bitcode File Format", "ENTER_SUBBLOCK encoding"; at the outermost level abbreviations are
//! two bits wide), of which the second says how many words follow. A module has what says who wrote it
//! before it, and its names in the next table of strings behind it. Nothing in it knows where in the file
//! it is.

/// `BC 0xC0DE`.
pub(crate) const MAGIC: &[u8] = b"BC\xc0\xde";
const WORD: usize = 4;
/// How a block begins: the abbreviation, in the lowest bits of its first word.
const ENTER: u32 = 1;

/// Kinds of blocks (`llvm/Bitcode/LLVMBitCodes.h`).
const MODULE: u32 = 8;
const IDENTIFICATION: u32 = 13;
const STRINGS: u32 = 23;

/// The modules in a file of bitcode, each as a file of its own. What is no bitcode, or has one module
/// only, stays as it is.
#[must_use]
pub fn split(input: Vec<u8>) -> Vec<Vec<u8>> {
    match modules(&input) {
        Some(modules) if modules.len() > 1 => {
            modules.iter().map(|blocks| [MAGIC, &blocks.concat()].concat()).collect()
        }
        _ => vec![input],
    }
}

/// Of each module what says who wrote it, the module, and its strings; none where the blocks contradict
/// themselves.
fn modules(input: &[u8]) -> Option<Vec<[&[u8]; 3]>> {
    let mut rest = input.strip_prefix(MAGIC)?;
    let (mut modules, mut begun) = (Vec::new(), 0);
    let mut identification: &[u8] = &[];
    while !rest.is_empty() {
        let (kind, block) = block(rest)?;
        rest = &rest[block.len()..];
        match kind {
            IDENTIFICATION => identification = block,
            MODULE => modules.push([identification, block, &[]]),
            STRINGS => {
                modules[begun..].iter_mut().for_each(|module| module[2] = block);
                begun = modules.len();
            }
            _ => {}
        }
    }
    Some(modules)
}

/// The first block: its kind, and all of it.
fn block(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let word = |index: usize| {
        let bytes = bytes.get(WORD * index..WORD * (index + 1))?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    };
    let (first, words) = (word(0)?, word(1)?);
    let size = WORD.checked_mul(usize::try_from(words).ok()?.checked_add(2)?)?;
    let kind = first >> 2 & 0xff;
    (first & 0b11 == ENTER).then_some((kind, bytes.get(..size)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block of a kind with so many words of the same byte.
    fn sample(kind: u32, byte: u8, words: u32) -> Vec<u8> {
        let header = [(kind << 2 | ENTER).to_le_bytes(), words.to_le_bytes()].concat();
        [header, vec![byte; WORD * words as usize]].concat()
    }

    fn check(blocks: &[&[u8]], expected: &[&[&[u8]]]) {
        let file = |blocks: &[&[u8]]| [MAGIC, &blocks.concat()].concat();
        let expected: Vec<_> = expected.iter().map(|blocks| file(blocks)).collect();
        assert_eq!(split(file(blocks)), expected);
    }

    #[test]
    fn each_module_has_its_strings() {
        let (writer, other) = (&*sample(IDENTIFICATION, 1, 2), &*sample(IDENTIFICATION, 2, 1));
        let (one, two, three) =
            (&*sample(MODULE, 3, 3), &*sample(MODULE, 4, 0), &*sample(MODULE, 5, 1));
        let (shared, own) = (&*sample(STRINGS, 6, 2), &*sample(STRINGS, 7, 1));
        let symbols = &*sample(25, 8, 4);
        check(
            &[writer, one, writer, two, symbols, shared, other, three, own],
            &[&[writer, one, shared], &[writer, two, shared], &[other, three, own]],
        );
    }

    #[test]
    fn all_else_stays_as_it_is() {
        let (one, strings) = (&*sample(MODULE, 3, 3), &*sample(STRINGS, 6, 2));
        check(&[one, strings], &[&[one, strings]]);
        check(&[], &[&[]]);
        check(&[one, one, &[1]], &[&[one, one, &[1]]]);
        check(
            &[one, one, &sample(MODULE, 0, 9)[..20]],
            &[&[one, one, &sample(MODULE, 0, 9)[..20]]],
        );
        let text = Vec::from(*b"define void @f()");
        assert_eq!(split(text.clone()), [text]);
    }
}
