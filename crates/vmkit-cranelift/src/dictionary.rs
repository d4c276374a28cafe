//! Bytes in terms of others that came before: functions of one program are much alike.

use std::ops::Range;

/// So many bytes are referred to at most. What is like nothing in them, once they are that many, stays
/// long.
const MOST: usize = 1 << 15;
/// Bytes that must agree where bytes go on that are known, and elsewhere: a reference takes some itself.
const SAMPLE: usize = 4;
const LEAST: usize = 8;
/// Places of samples that are remembered.
const PLACES: usize = 1 << 12;

/// The bytes that others are written in terms of. They only ever become more.
///
/// What is written is the number of bytes, and then by turns bytes that are new, and the place and number
/// of bytes that are known. Numbers have seven bits a byte (LEB128, DWARF 5, 7.6); places are counted from
/// where the known bytes go on if as many differ as are new.
#[derive(Default)]
pub(crate) struct Dictionary {
    known: Vec<u8>,
    /// Ends of samples, by their hash; 0 where there is none.
    places: Vec<u16>,
}

// The end of every sample has a place.
const _: () = assert!(MOST <= u16::MAX as usize);

impl Dictionary {
    /// Writes bytes in terms of those that came before.
    pub(crate) fn shorten(&mut self, whole: &[u8], short: &mut Vec<u8>) {
        let start = short.len();
        push_number(short, whole.len());
        let (mut written, mut at, mut next) = (0, 0, 0);
        while at + SAMPLE <= whole.len() {
            let Some(known) = self.find(&whole[at..], next + (at - written)) else {
                at += 1;
                continue;
            };
            push_new(short, &whole[written..at]);
            let distance = known.start.wrapping_sub(next + (at - written)).cast_signed();
            // The sign goes last, so that small ones below zero stay small.
            push_number(short, (distance << 1 ^ distance >> (usize::BITS - 1)).cast_unsigned());
            push_number(short, known.len());
            at += known.len();
            (written, next) = (at, known.end);
        }
        push_new(short, &whole[written..]);
        if (short.len() - start) * 2 > whole.len() {
            self.learn(whole);
        }
    }

    /// The bytes that were written so; none if no such bytes were.
    pub(crate) fn lengthen(&self, mut short: &[u8]) -> Option<Vec<u8>> {
        let len = take_number(&mut short)?;
        let (mut whole, mut next) = (Vec::with_capacity(len.min(MOST)), 0usize);
        loop {
            let count = take_number(&mut short)?;
            whole.extend_from_slice(short.split_off(..count)?);
            if whole.len() >= len {
                return (whole.len() == len).then_some(whole);
            }
            let distance = take_number(&mut short)?;
            let distance = (distance >> 1) ^ (distance & 1).wrapping_neg();
            let start = next.wrapping_add(count).wrapping_add(distance);
            next = start.checked_add(take_number(&mut short)?)?;
            whole.extend_from_slice(self.known.get(start..next)?);
        }
    }

    /// Where bytes are known that the given ones begin with; looks at a place first.
    fn find(&self, bytes: &[u8], place: usize) -> Option<Range<usize>> {
        let same = |place: usize| {
            let known = self.known.get(place..).unwrap_or_default();
            known.iter().zip(bytes).take_while(|(one, other)| one == other).count()
        };
        let here = same(place);
        if here >= SAMPLE {
            return Some(place..place + here);
        }
        let end = usize::from(*self.places.get(hash(bytes))?);
        let place = end.checked_sub(SAMPLE)?;
        let len = same(place);
        (len >= LEAST).then(|| place..place + len)
    }

    /// Has others refer to these bytes, if there is room.
    fn learn(&mut self, bytes: &[u8]) {
        let start = self.known.len();
        if start + bytes.len() > MOST {
            return;
        }
        self.known.extend_from_slice(bytes);
        self.places.resize(PLACES, 0);
        for (number, sample) in bytes.windows(SAMPLE).enumerate() {
            self.places[hash(sample)] = (start + number + SAMPLE) as u16;
        }
    }
}

/// The hash of the first bytes.
fn hash(bytes: &[u8]) -> usize {
    let sample = u32::from_le_bytes(std::array::from_fn(|at| bytes[at]));
    // The golden ratio, in 32 bits.
    sample.wrapping_mul(0x9e37_79b9) as usize >> (u32::BITS - PLACES.ilog2())
}

fn push_new(short: &mut Vec<u8>, bytes: &[u8]) {
    push_number(short, bytes.len());
    short.extend_from_slice(bytes);
}

fn push_number(short: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        short.push(number as u8 | 0x80);
        number >>= 7;
    }
    short.push(number as u8);
}

fn take_number(short: &mut &[u8]) -> Option<usize> {
    let mut number = 0;
    for shift in (0..usize::BITS).step_by(7) {
        let byte = *short.split_off_first()?;
        number |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look like chance.
    fn random(seed: &mut u64) -> usize {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (*seed >> 33) as usize
    }

    fn shortened(dictionary: &mut Dictionary, whole: &[u8]) -> Vec<u8> {
        let mut short = Vec::new();
        dictionary.shorten(whole, &mut short);
        short
    }

    #[test]
    fn what_is_written_is_read() {
        let (mut dictionary, mut seed) = (Dictionary::default(), 1);
        let (mut whole, mut all) = (Vec::new(), Vec::new());
        for _ in 0..2_000 {
            match random(&mut seed) % 4 {
                0 => {
                    whole = (0..random(&mut seed) % 400).map(|_| random(&mut seed) as u8).collect()
                }
                1 => whole.truncate(random(&mut seed) % (whole.len() + 1)),
                2 => whole.insert(random(&mut seed) % (whole.len() + 1), random(&mut seed) as u8),
                _ => {
                    let at = random(&mut seed) % (whole.len() + 1);
                    whole.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1);
                }
            }
            all.push((shortened(&mut dictionary, &whole), whole.clone()));
        }
        assert!(dictionary.known.len() <= MOST && dictionary.known.len() > MOST / 2);
        for (short, whole) in &all {
            assert_eq!(dictionary.lengthen(short).as_ref(), Some(whole));
            assert!(short.len() <= whole.len() + 8, "{} {}", short.len(), whole.len());
        }
    }

    #[test]
    fn what_is_alike_becomes_short() {
        let (mut dictionary, mut seed) = (Dictionary::default(), 1);
        let mut whole: Vec<_> = (0..300).map(|_| random(&mut seed) as u8).collect();
        shortened(&mut dictionary, &whole);
        for at in [20, 100, 101, 250] {
            whole[at] ^= 0xff;
        }
        let short = shortened(&mut dictionary, &whole);
        assert!(short.len() < 24, "{short:?}");
    }

    #[test]
    fn damage_is_no_panic() {
        let (mut dictionary, mut seed) = (Dictionary::default(), 1);
        let whole: Vec<_> = (0..300).map(|_| random(&mut seed) as u8).collect();
        shortened(&mut dictionary, &whole);
        let short = shortened(&mut dictionary, &whole[50..]);
        for at in 0..short.len() {
            assert_eq!(dictionary.lengthen(&short[..at]), None, "{at}");
            for bit in 0..8 {
                let mut damaged = short.clone();
                damaged[at] ^= 1 << bit;
                let _ = dictionary.lengthen(&damaged);
            }
        }
    }
}
