//! Who uses a symbol. Most symbols have one user, a call, so that is what takes least.

use super::entry::{Dependent, Site};
use crate::allocation::Alive;

/// The users of one symbol.
#[derive(Default)]
pub(super) struct Users {
    sites: Sites,
    rare: Option<Box<Rare>>,
    /// How many of all these belong to allocations that are gone, at least.
    dead: u32,
}

/// What few symbols have.
#[derive(Default)]
struct Rare {
    dependents: Vec<Dependent>,
    /// Words of data that were initialized to point to it.
    pointers: Vec<Site>,
    /// Offset in the slot area of the thread-local pair, plus one.
    pair: u32,
}

enum Sites {
    One(Site),
    Many(Vec<Site>),
}

const _: () = assert!(size_of::<Users>() <= 40);

impl Default for Sites {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl Sites {
    fn all(&self) -> &[Site] {
        match self {
            Self::One(site) => std::slice::from_ref(site),
            Self::Many(sites) => sites,
        }
    }

    fn push(&mut self, site: Site) {
        match self {
            Self::Many(sites) if sites.is_empty() => *self = Self::One(site),
            Self::Many(sites) => sites.push(site),
            Self::One(first) => *self = Self::Many(vec![*first, site]),
        }
    }

    fn remove(&mut self, index: usize) {
        match self {
            Self::Many(sites) => drop(sites.swap_remove(index)),
            Self::One(_) => *self = Self::default(),
        }
    }

    fn retain(&mut self, is_kept: impl Fn(&Site) -> bool) {
        match self {
            Self::Many(sites) => {
                sites.retain(is_kept);
                let most = 2 * sites.len();
                sites.shrink_to(most);
            }
            Self::One(site) if !is_kept(site) => *self = Self::default(),
            Self::One(_) => {}
        }
    }
}

impl Users {
    /// Call sites, and words that hold where the symbol is.
    pub(super) fn sites(&self) -> &[Site] {
        self.sites.all()
    }

    pub(super) fn add_site(&mut self, site: Site) {
        self.sites.push(site);
    }

    /// Drops the site at a place.
    pub(super) fn remove_site(&mut self, place: u32) {
        if let Some(index) = self.sites().iter().rposition(|site| site.place == place) {
            self.sites.remove(index);
        }
    }

    pub(super) fn pointers(&self) -> &[Site] {
        self.rare.as_ref().map_or(&[], |rare| &rare.pointers)
    }

    pub(super) fn add_pointer(&mut self, site: Site) {
        self.rare.get_or_insert_default().pointers.push(site);
    }

    pub(super) fn dependents(&self) -> &[Dependent] {
        self.rare.as_ref().map_or(&[], |rare| &rare.dependents)
    }

    pub(super) fn add_dependent(&mut self, dependent: Dependent) {
        self.rare.get_or_insert_default().dependents.push(dependent);
    }

    /// Takes out the dependents for which `is_kept` does not hold.
    pub(super) fn take_dependents(
        &mut self,
        is_kept: impl Fn(&Dependent) -> bool,
    ) -> Vec<Dependent> {
        let Some(rare) = &mut self.rare else { return Vec::new() };
        let (kept, taken) = rare.dependents.drain(..).partition(is_kept);
        rare.dependents = kept;
        taken
    }

    pub(super) fn pair(&self) -> Option<u32> {
        self.rare.as_ref()?.pair.checked_sub(1)
    }

    pub(super) fn set_pair(&mut self, offset: u32) {
        self.rare.get_or_insert_default().pair = offset + 1;
    }

    /// Notes that `count` uses belong to allocations that are gone, and drops those once they are many.
    /// Tells whether nothing is left.
    pub(super) fn forget(&mut self, count: usize, alive: &Alive<'_>) -> bool {
        self.dead += count as u32;
        let all = self.sites().len() + self.dependents().len() + self.pointers().len();
        if (self.dead as usize) * 2 < all {
            return false;
        }
        self.dead = 0;
        self.sites.retain(|site| alive.has(site.owner));
        if let Some(rare) = &mut self.rare {
            rare.dependents.retain(|dependent| alive.has(dependent.owner));
            rare.pointers.retain(|site| alive.has(site.owner));
            if rare.dependents.is_empty() && rare.pointers.is_empty() && rare.pair == 0 {
                self.rare = None;
            }
        }
        self.sites().is_empty() && self.rare.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allocation::Allocations;
    use crate::symbol::{ScopeId, SymbolId};

    #[test]
    fn sites_come_and_go() {
        let allocations = Allocations::default();
        let owner = |_| allocations.begin(SymbolId(0), ScopeId::GLOBAL);
        let owners: Vec<_> = (0..3).map(owner).collect();
        for count in 0..3 {
            let mut users = Users::default();
            let places = |users: &Users| users.sites().iter().map(|site| site.place).collect();
            for place in 0..count {
                users.add_site(Site { place, owner: owners[place as usize] });
            }
            users.remove_site(7);
            let all: Vec<u32> = places(&users);
            assert_eq!(all, (0..count).collect::<Vec<_>>());
            users.remove_site(0);
            let all: Vec<u32> = places(&users);
            assert_eq!(all, (1..count).collect::<Vec<_>>());
            users.add_site(Site { place: 2, owner: owners[2] });
            assert_eq!(users.sites().last().unwrap().place, 2);
            assert!(!users.forget(0, &allocations.alive()));
        }
        let mut users = Users::default();
        users.add_site(Site { place: 0, owner: owners[0] });
        users.set_pair(8);
        allocations.take(owners[0]);
        assert!(!users.forget(1, &allocations.alive()));
        assert_eq!((users.sites(), users.pair()), (&[][..], Some(8)));
    }
}
