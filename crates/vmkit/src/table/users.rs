//! Who uses a symbol. Most symbols have one user, a call, so that is what takes least.

use super::entry::{Dependent, Site};
use crate::allocation::Alive;

/// The users of one symbol.
#[derive(Default)]
pub(super) enum Users {
    #[default]
    Nobody,
    One(Site),
    Many(Box<Many>),
}

/// Users of which more than a site is known.
#[derive(Default)]
pub(super) struct Many {
    sites: Vec<Site>,
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

const _: () = assert!(size_of::<Users>() <= 16 && size_of::<Many>() <= 40);

impl Users {
    /// Call sites, and words that hold where the symbol is.
    pub(super) fn sites(&self) -> &[Site] {
        match self {
            Self::Nobody => &[],
            Self::One(site) => std::slice::from_ref(site),
            Self::Many(many) => &many.sites,
        }
    }

    fn rare(&self) -> Option<&Rare> {
        match self {
            Self::Nobody | Self::One(_) => None,
            Self::Many(many) => many.rare.as_deref(),
        }
    }

    fn many(&mut self) -> &mut Many {
        if !matches!(self, Self::Many(_)) {
            let many = Many { sites: self.sites().to_vec(), ..Many::default() };
            *self = Self::Many(Box::new(many));
        }
        let Self::Many(many) = self else { unreachable!("it was made so") };
        many
    }

    fn rare_mut(&mut self) -> &mut Rare {
        self.many().rare.get_or_insert_default()
    }

    pub(super) fn add_site(&mut self, site: Site) {
        match self {
            Self::Nobody => *self = Self::One(site),
            Self::One(_) | Self::Many(_) => self.many().sites.push(site),
        }
    }

    /// Drops the site at a place.
    pub(super) fn remove_site(&mut self, place: u32) {
        let Some(index) = self.sites().iter().rposition(|site| site.place == place) else { return };
        match self {
            Self::Many(many) => drop(many.sites.swap_remove(index)),
            Self::Nobody | Self::One(_) => *self = Self::Nobody,
        }
    }

    pub(super) fn pointers(&self) -> &[Site] {
        self.rare().map_or(&[], |rare| &rare.pointers)
    }

    pub(super) fn add_pointer(&mut self, site: Site) {
        self.rare_mut().pointers.push(site);
    }

    pub(super) fn dependents(&self) -> &[Dependent] {
        self.rare().map_or(&[], |rare| &rare.dependents)
    }

    pub(super) fn add_dependent(&mut self, dependent: Dependent) {
        self.rare_mut().dependents.push(dependent);
    }

    /// Takes out the dependents for which `is_kept` does not hold.
    pub(super) fn take_dependents(
        &mut self,
        is_kept: impl Fn(&Dependent) -> bool,
    ) -> Vec<Dependent> {
        if self.dependents().is_empty() {
            return Vec::new();
        }
        let rare = self.rare_mut();
        let (kept, taken) = rare.dependents.drain(..).partition(is_kept);
        rare.dependents = kept;
        taken
    }

    pub(super) fn pair(&self) -> Option<u32> {
        self.rare()?.pair.checked_sub(1)
    }

    pub(super) fn set_pair(&mut self, offset: u32) {
        self.rare_mut().pair = offset + 1;
    }

    /// Notes that `count` uses belong to allocations that are gone, and drops those once they are many.
    pub(super) fn forget(&mut self, count: usize, alive: &Alive<'_>) {
        let is_empty = match self {
            Self::Nobody => true,
            Self::One(site) => !alive.has(site.owner),
            Self::Many(many) => many.forget(count, alive),
        };
        if is_empty {
            *self = Self::Nobody;
        }
    }
}

impl Many {
    /// As [`Users::forget`]; tells whether nothing is left.
    fn forget(&mut self, count: usize, alive: &Alive<'_>) -> bool {
        self.dead += count as u32;
        let rare = self.rare.as_ref();
        let all =
            self.sites.len() + rare.map_or(0, |rare| rare.dependents.len() + rare.pointers.len());
        if (self.dead as usize) * 2 < all {
            return false;
        }
        self.dead = 0;
        self.sites.retain(|site| alive.has(site.owner));
        let most = 2 * self.sites.len();
        self.sites.shrink_to(most);
        if let Some(rare) = &mut self.rare {
            rare.dependents.retain(|dependent| alive.has(dependent.owner));
            rare.pointers.retain(|site| alive.has(site.owner));
            if rare.dependents.is_empty() && rare.pointers.is_empty() && rare.pair == 0 {
                self.rare = None;
            }
        }
        self.sites.is_empty() && self.rare.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allocation::Allocations;
    use crate::symbol::SymbolId;

    #[test]
    fn sites_come_and_go() {
        let allocations = Allocations::default();
        let owner = |_| allocations.begin_data(SymbolId(0));
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
            users.forget(0, &allocations.alive());
            assert_eq!(users.sites().last().unwrap().place, 2);
        }
        let mut users = Users::default();
        users.add_site(Site { place: 0, owner: owners[0] });
        users.set_pair(8);
        allocations.take(owners[0]);
        users.forget(1, &allocations.alive());
        assert_eq!((users.sites(), users.pair()), (&[][..], Some(8)));
    }
}
