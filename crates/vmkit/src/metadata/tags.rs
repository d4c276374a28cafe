//! Tags: what a producer is told to pass on about places in the code.

use super::Place;

/// What is passed on. What it means is between who builds code and who reads this.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Tag {
    /// A number.
    Number(u32),
    /// A slot in the frame.
    Slot {
        /// What the slot is called by whoever builds code.
        key: Option<u64>,
        /// Its value is the slot's address.
        place: Place,
    },
}
