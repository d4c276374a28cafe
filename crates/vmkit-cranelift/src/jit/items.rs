//! What a module has defined.

use std::collections::VecDeque;
use std::sync::Arc;

use cranelift_codegen::ir::Signature;
use rustc_hash::FxHashMap;
use vmkit::graph::LinkGraph;
use vmkit::{Error, Name};

use crate::definition::Body;
use crate::packed::Packed;

/// What a key stands for now: what can give its code or data, again if need be.
pub(super) enum Item {
    /// A function in CLIF, and its name: one that can go into others.
    Body(Name, Body),
    /// A function in CLIF.
    Packed(Waiting),
    /// Code or data that needs no compiler any more; of code, its type.
    Graph(Box<LinkGraph>, Option<Arc<Signature>>),
    /// Code that takes nothing for granted, so that it is linked once.
    Once(Arc<Signature>),
    /// A function that cannot be compiled, and why.
    Failed(Error, Arc<Signature>),
}

/// A function that is compiled when it is called.
pub(super) struct Waiting {
    pub(super) name: Name,
    pub(super) signature: Arc<Signature>,
    pub(super) function: Packed,
}

impl Item {
    pub(super) fn with_signature<T>(&self, read: impl FnOnce(&Signature) -> T) -> Option<T> {
        match self {
            Self::Body(_, body) => Some(read(&body.function().signature)),
            Self::Packed(waiting) => Some(read(&waiting.signature)),
            Self::Graph(_, signature) => signature.as_deref().map(read),
            Self::Once(signature) | Self::Failed(_, signature) => Some(read(signature)),
        }
    }
}

/// What is defined.
#[derive(Default)]
pub(super) struct Items {
    /// By the module's numbers.
    pub(super) all: Vec<Option<Arc<Item>>>,
    /// Graphs of what was not linked yet.
    pub(super) first: First,
}

impl Items {
    pub(super) fn get(&self, index: usize) -> Option<Arc<Item>> {
        self.all.get(index)?.clone()
    }

    /// Puts one in the place of another, which is to be dropped with no lock held.
    #[must_use]
    pub(super) fn replace(&mut self, index: usize, item: Option<Arc<Item>>) -> Option<Arc<Item>> {
        if index == self.all.len() {
            self.all.push(item);
            return None;
        }
        if index > self.all.len() {
            self.all.resize(index + 1, None);
        }
        std::mem::replace(&mut self.all[index], item)
    }
}

/// So many graphs are taken for new.
const NEW: usize = 32;

/// Graphs, by the keys of what they are of.
#[derive(Default)]
pub(super) struct First {
    /// Those that came last, which are mostly asked for soon, in the same order.
    pub(super) new: VecDeque<(u64, LinkGraph)>,
    others: FxHashMap<u64, LinkGraph>,
}

impl First {
    pub(super) fn insert(&mut self, key: u64, graph: LinkGraph) {
        if self.new.len() == NEW {
            self.others.extend(self.new.pop_front());
        }
        self.new.push_back((key, graph));
    }

    pub(super) fn get(&self, key: u64) -> Option<&LinkGraph> {
        let new = self.new.iter().find(|(other, _)| *other == key);
        new.map(|(_, graph)| graph).or_else(|| self.others.get(&key))
    }

    pub(super) fn remove(&mut self, key: u64) -> Option<LinkGraph> {
        if let Some(place) = self.new.iter().position(|(other, _)| *other == key) {
            return self.new.remove(place).map(|(_, graph)| graph);
        }
        if self.others.is_empty() { None } else { self.others.remove(&key) }
    }
}
